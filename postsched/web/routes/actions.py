"""/posts/ID/…: what a person does with a post that is planned, out, or in doubt."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body
from starlette.responses import Response

from postsched.service import deliveries, editing, pausing
from postsched.service.desk import Desk
from postsched.service.drafts import fingerprint, with_media
from postsched.service.verdicts import verdict_of
from postsched.web import etags, postings
from postsched.web.auth import Drafter, Writer
from postsched.web.context import DeskOf
from postsched.web.etags import IfMatch
from postsched.web.idempotency import Write
from postsched.web.narrowing import which_of
from postsched.web.postings import PostId, answered, document_of, etag_of
from postsched.web.requests import Route
from postsched.web.schemas.actions import Cancelling, Narrowed, Verdict
from postsched.web.schemas.described import TAGGED, described
from postsched.web.schemas.documents import Post

router = APIRouter(prefix="/posts/{post_id}", tags=["posts"], route_class=Route)
WITH_BODY = TAGGED | described(404, 408, 409, 413, 415)
WITHOUT = TAGGED | described(404, 408, 409, 413)
EVERY, ALL = Narrowed(), postings.EVERY


@router.post("/cancel", response_model=Post, responses=WITH_BODY, operation_id="cancel_post")
def cancel(
    post_id: PostId,
    desk: DeskOf,
    who: Drafter,
    write: Write,
    given: Annotated[Cancelling, Body()] = ALL,
) -> Response:
    """Cancel what of a post has not gone out; 409 where nothing of it can be. With the scope draft:
    a draft that the same caller has made."""
    return answered(write, desk, post_id, lambda desk: postings.cancel(desk, who, post_id, given))


@router.post("/retry", response_model=Post, responses=WITH_BODY, operation_id="retry_post")
def retry(
    post_id: PostId,
    desk: DeskOf,
    who: Writer,
    write: Write,
    given: Annotated[Narrowed, Body()] = EVERY,
) -> Response:
    """Send failed, missed or cancelled deliveries again, where they broke off."""
    return answered(
        write,
        desk,
        post_id,
        lambda desk: deliveries.retry(desk, [post_id], which_of(desk, given), insist=True),
    )


@router.post("/resolve", response_model=Post, responses=WITH_BODY, operation_id="resolve_post")
def resolve(post_id: PostId, given: Verdict, desk: DeskOf, who: Writer, write: Write) -> Response:
    """Settle an unconfirmed delivery: a person has looked whether it is out."""
    published = verdict_of(given.verdict, given.url, given.remote_id)
    return answered(
        write,
        desk,
        post_id,
        lambda desk: deliveries.resolve(desk, post_id, which_of(desk, given), published),
    )


@router.post("/pause", response_model=Post, responses=WITHOUT, operation_id="pause_post")
def pause(post_id: PostId, desk: DeskOf, who: Writer, write: Write) -> Response:
    """Hold a post: nothing of it is sent until it is resumed."""
    return answered(write, desk, post_id, lambda desk: pausing.pause(desk, [post_id]))


@router.post("/resume", response_model=Post, responses=WITHOUT, operation_id="resume_post")
def resume(post_id: PostId, desk: DeskOf, who: Writer, write: Write) -> Response:
    """Release a post; what is past its grace is missed."""
    return answered(write, desk, post_id, lambda desk: pausing.resume(desk, [post_id]))


@router.post(
    "/approve",
    response_model=Post,
    responses=TAGGED | described(404, 408, 409, 412, 413, 428),
    operation_id="approve_post",
)
def approve(
    post_id: PostId, desk: DeskOf, who: Writer, write: Write, match: IfMatch = None
) -> Response:
    """Let a draft go out at the time that it names: the one that If-Match names, for who proposed
    it may have changed it since it was looked at."""

    def work(desk: Desk) -> None:
        with desk.database.read() as connection:
            etags.expect(match, etag_of(document_of(connection, post_id)))
            seen = fingerprint(with_media(connection, post_id)[0])
        editing.approve(desk, [post_id], {post_id: seen})

    return answered(write, desk, post_id, work)
