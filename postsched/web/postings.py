"""Posts as they are answered, with their ETag, and what is done with one by any address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Path
from sqlalchemy import Connection
from starlette.responses import Response

from postsched.domain.scope import Scope
from postsched.service import deliveries, posts, proposing, shown
from postsched.service.desk import Desk
from postsched.web import etags
from postsched.web.answers import Json, encoded
from postsched.web.auth import Principal, forbidden
from postsched.web.drafting import draft_from
from postsched.web.idempotency import Once, Reply
from postsched.web.narrowing import which_of
from postsched.web.schemas.actions import Cancelling
from postsched.web.schemas.base import LARGEST
from postsched.web.schemas.posts import PostIn

EVERY = Cancelling()
PostId = Annotated[int, Path(ge=1, le=LARGEST, description="The id of a post")]


def document_of(connection: Connection, post_id: int) -> dict[str, Any]:
    """A post as JSON. Raises NotFound."""
    (found,) = shown.documents(connection, [post_id])
    return found


def told(document: dict[str, Any], who: Principal) -> dict[str, Any]:
    """A post as that caller may see it."""
    return document if who.author is None else shown.discreet(document)


def etag_of(document: Mapping[str, Any]) -> str:
    """The entity tag of a document, whoever sees all of it: that of every byte."""
    return f'"{sha256(encoded(document)).hexdigest()[:32]}"'


def reply_of(connection: Connection, post_id: int) -> Reply:
    """A post as the answer to a write. Raises NotFound."""
    document = document_of(connection, post_id)
    return Reply(document, headers={"ETag": etag_of(document)})


def answered(write: Once, desk: Desk, post_id: int, work: Callable[[Desk], object]) -> Response:
    """Do that, and answer with the post as it is then. Raises what the work does."""
    return write.do(desk, work, lambda connection: reply_of(connection, post_id))


def one_post(desk: Desk, who: Principal, post_id: int, known: str | None = None) -> Response:
    """A post as an answer; 304 where its ETag is `known` (If-None-Match). Raises NotFound."""
    with desk.database.read() as connection:
        document = document_of(connection, post_id)
    etag = etag_of(document)
    if known is not None and etags.names(known, etag, weakly=True):
        return Response(status_code=304, headers={"ETag": etag})
    return Json(told(document, who), headers={"ETag": etag})


def expect_draft(who: Principal, *, draft: bool) -> None:
    """Raise HTTPException (403) for somebody who may only propose, where it is no draft."""
    if not draft and who.author is not None:
        why = f"{who.name} may only propose drafts: say draft, and a person approves it"
        raise forbidden(why, Scope.WRITE)


def cancel(desk: Desk, who: Principal, post_id: int, given: Cancelling = EVERY) -> None:
    """Cancel what of a post has not gone out; for somebody who may only propose, a draft that they
    made. Raises NotFound, NotAllowed, Forbidden."""
    if who.author is not None:
        proposing.discard(desk, post_id, who.author)
        return
    which = which_of(desk, given)
    deliveries.cancel(desk, [post_id], which, close_gaps=given.close_gap, insist=True)


@dataclass(frozen=True, slots=True)
class Writing:
    """A new post of `who`, at whichever address it was given; `at` is where it is then."""

    given: PostIn
    at: str
    who: Principal
    _written: list[int] = field(default_factory=list)

    def answer(self, desk: Desk, write: Once) -> Response:
        """Write it, and answer with it. Raises Problem, InvalidInput, NotFound, NotAllowed."""
        expect_draft(self.who, draft=bool(self.given.draft))
        return write.do(desk, self._work, self._reply)

    def _work(self, desk: Desk) -> None:
        draft, author = draft_from(desk, self.given), self.who.author
        added = posts.add(desk, draft, noted=self._written.append, author=author)
        if added.id is not None and not self._written:  # the post with the same key
            self._written.append(added.id)

    def _reply(self, connection: Connection) -> Reply:
        (post_id,) = self._written
        made = reply_of(connection, post_id)
        return Reply(made.document, 201, {**made.headers, "Location": f"{self.at}/{post_id}"})
