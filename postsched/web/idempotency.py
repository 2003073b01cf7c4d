"""Writes that happen once: `Idempotency-Key`.

A write with a key is noted, with its answer, in its own transaction. The same request again by the
same caller is given that answer, also after a crash between the write and its answer; another
request under the key is refused. What was refused was not noted, and may be tried again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from sqlalchemy import Connection

from postsched.service.desk import Desk
from postsched.store import answers
from postsched.store.answers import Answer
from postsched.store.sealing import Sealing
from postsched.web.answers import Json, encoded
from postsched.web.problems import Problem

REPLAYED = "Idempotency-Replayed"


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered to a write."""

    document: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class _Known(Exception):
    """The request was answered already."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Once:
    """A write that was asked for. `key` is None for one that has none."""

    caller: str
    key: str | None
    digest: str

    def do(
        self, desk: Desk, work: Callable[[Desk], object], reply: Callable[[Connection], Reply]
    ) -> Json:
        """Do the `work` and answer with what `reply` makes of what is then in the database; of a
        request that was answered already, that answer. Raises Problem for another request under
        the same key, and whatever `work` raises."""
        if self.key is None:
            work(desk)
            with desk.database.read() as connection:
                made = reply(connection)
            return Json(made.document, made.status, dict(made.headers))
        try:
            return self._sealed(desk, work, reply)
        except _Known as known:
            return _again(known.answer)

    def _sealed(
        self, desk: Desk, work: Callable[[Desk], object], reply: Callable[[Connection], Reply]
    ) -> Json:
        found: list[Answer] = []

        def look(connection: Connection) -> None:
            assert self.key is not None
            known = answers.find(connection, self.caller, self.key, desk.now())
            if known is not None and known.digest != self.digest:
                raise _reused()
            if known is not None:
                raise _Known(known)

        def note(connection: Connection) -> None:
            assert self.key is not None
            made = reply(connection)
            answer = Answer(self.digest, made.status, made.headers, encoded(made.document).decode())
            answers.note(connection, self.caller, self.key, answer, desk.now())
            found.append(answer)

        with desk.database.read() as connection:
            look(connection)
        database = Sealing(desk.database, look, note)
        work(replace(desk, database=database))
        if not database.sealed:  # nothing had to be written
            with database.write():
                pass
        answer = found[0]
        return Json(answer.body.encode(), answer.status, dict(answer.headers))


def _again(answer: Answer) -> Json:
    return Json(answer.body.encode(), answer.status, {**answer.headers, REPLAYED: "true"})


def _reused() -> Problem:
    return Problem(
        422,
        "key-reused",
        "That key belongs to another request",
        "the Idempotency-Key was used for another request within a day",
        hint="Give each request a key of its own",
        field="Idempotency-Key",
    )


Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Makes the request happen once, however often it is repeated within a day.",
    ),
]


async def once(request: Request, idempotency_key: Key = None) -> Once:
    """The write that a request asks for."""
    if idempotency_key is None:
        return Once("", None, "")
    body = await request.body()
    what = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return Once(
        request.state.principal.name, idempotency_key, hashlib.sha256(what + body).hexdigest()
    )


Write = Annotated[Once, Depends(once)]
