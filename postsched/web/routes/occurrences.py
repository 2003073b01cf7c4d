"""/posts/ID/occurrences/WHEN: one occurrence of a series."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from postsched.domain.when import understand
from postsched.domain.zones import zone_named
from postsched.service import occurrences
from postsched.service.desk import Desk
from postsched.web import etags
from postsched.web.auth import Writer
from postsched.web.context import DeskOf
from postsched.web.etags import IfMatch
from postsched.web.idempotency import Write
from postsched.web.narrowing import which_of
from postsched.web.postings import PostId, answered, document_of, etag_of
from postsched.web.problems import invalid
from postsched.web.requests import Route
from postsched.web.schemas.actions import Narrowed, Occurrence
from postsched.web.schemas.described import TAGGED, described
from postsched.web.schemas.documents import Post

router = APIRouter(prefix="/posts/{post_id}/occurrences", tags=["posts"], route_class=Route)
When = Annotated[
    str, Path(min_length=1, max_length=100, description="Its time: 2026-12-24T09:00:00Z")
]


@router.patch(
    "/{when}",
    response_model=Post,
    responses=TAGGED | described(404, 408, 409, 412, 413, 415, 428),
    operation_id="edit_occurrence",
)
def edit_occurrence(
    post_id: PostId,
    when: When,
    given: Occurrence,
    desk: DeskOf,
    who: Writer,
    write: Write,
    match: IfMatch = None,
) -> Response:
    """Move one occurrence of a series, give it a text of its own, or both: for all accounts for
    which it still waits, or for some. To skip it, cancel it."""
    if given.at is None and given.text is None:
        raise invalid("nothing changes", "Give a text, or at")
    zone = zone_named(given.tz) if given.tz is not None else desk.zone
    moment = understand(given.at, desk.now(), zone).instant if given.at is not None else None

    def work(desk: Desk) -> None:
        with desk.database.read() as connection:
            etags.expect(match, etag_of(document_of(connection, post_id)))
        which = which_of(desk, Narrowed(accounts=given.accounts, occurrence=when))
        occurrences.change(desk, post_id, which, moment, given.text)

    return answered(write, desk, post_id, work)
