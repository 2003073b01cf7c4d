"""/schedule: one post written, looked at, cancelled."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from postsched.web.auth import Drafter, Reader
from postsched.web.context import DeskOf
from postsched.web.etags import IfNoneMatch
from postsched.web.idempotency import Write
from postsched.web.postings import PostId, Writing, answered, cancel, one_post
from postsched.web.requests import Route
from postsched.web.schemas.described import CREATED, TAGGED, described
from postsched.web.schemas.documents import Post
from postsched.web.schemas.posts import PostIn

router = APIRouter(prefix="/schedule", tags=["schedule"], route_class=Route)
HERE = "/api/v1/schedule"


@router.post(
    "",
    status_code=201,
    response_model=Post,
    responses=CREATED | described(408, 409, 413, 415),
    operation_id="schedule",
)
def schedule(given: PostIn, desk: DeskOf, who: Drafter, write: Write) -> Response:
    """Write a post. With a `key` that a post has already, the answer is that post."""
    return Writing(given, HERE, who).answer(desk, write)


@router.get(
    "/{post_id}",
    response_model=Post,
    responses=TAGGED | described(304, 404),
    operation_id="scheduled",
)
def scheduled(post_id: PostId, desk: DeskOf, who: Reader, known: IfNoneMatch = None) -> Response:
    """One post, with its schedule and deliveries."""
    return one_post(desk, who, post_id, known)


@router.delete(
    "/{post_id}",
    response_model=Post,
    responses=TAGGED | described(404, 408, 409, 413),
    operation_id="unschedule",
)
def unschedule(post_id: PostId, desk: DeskOf, who: Drafter, write: Write) -> Response:
    """Cancel what of a post has not gone out: the post as it is then. 409 where nothing of it can
    be cancelled any more. One that is cancelled already stays so. With the scope draft: a draft
    that the same caller has made."""
    return answered(write, desk, post_id, lambda desk: cancel(desk, who, post_id))
