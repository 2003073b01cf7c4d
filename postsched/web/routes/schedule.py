"""/schedule: one post written, looked at, cancelled."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.responses import Response

from postsched.service import deliveries, posts
from postsched.service.deliveries import Which
from postsched.service.desk import Desk
from postsched.web.auth import Reader, Writer
from postsched.web.context import DeskOf
from postsched.web.drafting import draft_from
from postsched.web.idempotency import Reply, Write
from postsched.web.postings import PostId, one_post, reply_of
from postsched.web.requests import Route
from postsched.web.schemas.described import described
from postsched.web.schemas.documents import Post
from postsched.web.schemas.posts import PostIn

router = APIRouter(prefix="/schedule", tags=["schedule"], route_class=Route)


@router.post(
    "", status_code=201, response_model=Post, responses=described(409, 413, 415),
    operation_id="schedule",
)  # fmt: skip
def schedule(given: PostIn, desk: DeskOf, who: Writer, write: Write) -> Response:
    """Write a post. The answer to the same `key` again is the post that has it already."""
    written: list[int] = []

    def work(desk: Desk) -> None:
        draft = draft_from(desk, given)
        added = posts.add(desk, draft, noted=written.append)
        if added.id is not None and not written:
            written.append(added.id)

    def reply(connection: Connection) -> Reply:
        made = reply_of(connection, written[0])
        return Reply(
            made.document, 201, {**made.headers, "Location": f"/api/v1/schedule/{written[0]}"}
        )

    return write.do(desk, work, reply)


@router.get("/{post_id}", response_model=Post, responses=described(404), operation_id="scheduled")
def scheduled(post_id: PostId, desk: DeskOf, who: Reader) -> Response:
    """One post, with its schedule and deliveries."""
    return one_post(desk, post_id)


@router.delete(
    "/{post_id}", response_model=Post, responses=described(404, 409),
    operation_id="unschedule",
)  # fmt: skip
def unschedule(post_id: PostId, desk: DeskOf, who: Writer, write: Write) -> Response:
    """Cancel what of a post has not gone out: the post as it is then. 409 where nothing of it can
    be cancelled any more. One that is cancelled already stays so."""
    return write.do(
        desk,
        lambda desk: cancel(desk, post_id, Which()),
        lambda connection: reply_of(connection, post_id),
    )


def cancel(desk: Desk, post_id: int, which: Which) -> None:
    """Cancel what can be. Raises NotAllowed if that is nothing."""
    deliveries.cancel(desk, [post_id], which, insist=True)
