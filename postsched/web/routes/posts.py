"""/posts: listed, written, looked at, edited."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from postsched.domain.draft import Draft
from postsched.service import editing, proposing
from postsched.service.choice import STATUSES
from postsched.service.desk import Desk
from postsched.service.drafts import with_media
from postsched.store import pages
from postsched.transfer.documents import post_document
from postsched.web import etags, paging
from postsched.web.auth import Drafter, Principal, Reader
from postsched.web.context import DeskOf
from postsched.web.drafting import changed
from postsched.web.etags import IfMatch, IfNoneMatch
from postsched.web.idempotency import Write
from postsched.web.looking import OfPosts
from postsched.web.paging import USUAL, Cursor, Limit
from postsched.web.postings import (
    PostId,
    Writing,
    answered,
    document_of,
    etag_of,
    expect_draft,
    one_post,
    told,
)
from postsched.web.requests import Route
from postsched.web.schemas.described import CREATED, LINKED, TAGGED, described
from postsched.web.schemas.documents import Post
from postsched.web.schemas.posts import PostChanges, PostIn
from postsched.web.schemas.views import Posts

router = APIRouter(prefix="/posts", tags=["posts"], route_class=Route)
KNOWN = (*STATUSES, "publishing", "scheduled")


@router.get("", response_model=Posts, responses=LINKED | described(), operation_id="list_posts")
def list_posts(
    request: Request,
    desk: DeskOf,
    who: Reader,
    looking: OfPosts,
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Response:
    """Posts, the newest first. `from` and `until` are of their occurrences."""
    place = paging.place_of(cursor, 1)
    with desk.database.read() as connection:
        wanted = looking.filter(desk, connection, KNOWN)
        found = pages.posts(connection, wanted, place[0] if place else None, limit + 1)
    more = paging.written(found[limit - 1].post.id) if len(found) > limit else None
    documents = (post_document(one.post, one.schedule, one.deliveries) for one in found[:limit])
    return paging.page(request, [told(one, who) for one in documents], more)


@router.post(
    "",
    status_code=201,
    response_model=Post,
    responses=CREATED | described(408, 409, 413, 415),
    operation_id="add_post",
)
def add_post(given: PostIn, desk: DeskOf, who: Drafter, write: Write) -> Response:
    """Write a post. With a `key` that a post has already, the answer is that post."""
    return Writing(given, "/api/v1/posts", who).answer(desk, write)


@router.get(
    "/{post_id}",
    response_model=Post,
    responses=TAGGED | described(304, 404),
    operation_id="get_post",
)
def get_post(post_id: PostId, desk: DeskOf, who: Reader, known: IfNoneMatch = None) -> Response:
    """One post, with its schedule and deliveries."""
    return one_post(desk, who, post_id, known)


@router.patch(
    "/{post_id}",
    response_model=Post,
    responses=TAGGED | described(404, 408, 409, 412, 413, 415, 428),
    operation_id="edit_post",
)
def edit_post(
    post_id: PostId,
    given: PostChanges,
    desk: DeskOf,
    who: Drafter,
    write: Write,
    match: IfMatch = None,
) -> Response:
    """Change what is named of a post; null clears. Only what surely isn't out is changed, and only
    of the post that If-Match names. A time makes a post of a draft, unless it says `draft`. With
    the scope draft: a draft that the same caller has made, and it stays one."""

    def work(desk: Desk) -> None:
        before, after = _read(desk, who, post_id, given, match)
        if before != after:
            editing.edit(desk, post_id, before, after)

    return answered(write, desk, post_id, work)


def _read(
    desk: Desk, who: Principal, post_id: int, given: PostChanges, match: str | None
) -> tuple[Draft, Draft]:
    """What a post reads, and is to read."""
    with desk.database.read() as connection:
        before, known = with_media(connection, post_id)
        if who.author is not None:
            proposing.expect_own(connection, post_id, before, who.author)
        etags.expect(match, etag_of(document_of(connection, post_id)))
    after = changed(desk, before, given, known)
    expect_draft(who, draft=before.draft and after.draft)
    return before, after
