"""One post: what it says, where and when it goes, and every attempt."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from postsched.domain.post import PostStatus
from postsched.service.desk import posts_named
from postsched.service.drafts import fingerprint, written_as
from postsched.service.patterns import pattern
from postsched.store import accounts as account_rows
from postsched.store import proposals, reading
from postsched.transfer.documents import coming
from postsched.web.page.visit import Visit, view

OPEN = (PostStatus.DRAFT, PostStatus.SCHEDULED, PostStatus.FAILED, PostStatus.PARTIAL)
"""What something can still be done with."""


@view()
def post(visit: Visit) -> Response:
    """One post."""
    post_id = visit.request.path_params["id"]
    with visit.desk.database.read() as connection:
        posts_named(connection, [post_id])
        (filed,) = reading.file_posts(connection, [post_id])
        attempts = reading.attempts_of(connection, filed)
        ids = {account.name: account.id for account in account_rows.every(connection)}
        author = proposals.author_of(connection, post_id) if filed.post.draft else None
    draft = written_as(filed.post, filed.schedule)
    return visit.page(
        "post.html", filed=filed, post=filed.post, open=filed.status in OPEN,
        attempts=attempts, ids=ids,
        schedule=pattern(filed, visit.desk.now()) if filed.schedule.recurs else None,
        coming=coming(filed.schedule, filed.deliveries, 5),
        slot=draft.slot,
        planned=filed.schedule.first() if draft.has_time and not draft.slot else None,
        seen=fingerprint(draft), author=author,
        own=visit.may_write or (author is not None and author == visit.who.author),
    )  # fmt: skip


ROUTES = [Route("/posts/{id:int}", post)]
