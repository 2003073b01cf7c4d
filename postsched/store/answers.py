"""What was answered to requests that have a key of their own: found again for a day.

An answer is noted in the transaction of the write that it tells of: either both are there or
neither. Each write lets those go that are older.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from postsched.store.answer_tables import answers

KEPT = timedelta(days=1)
"""How long an answer is found again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller was told. `digest` is that of the request."""

    digest: str
    status: int
    headers: Mapping[str, str]
    body: str


def find(connection: Connection, caller: str, key: str, now: datetime) -> Answer | None:
    """The answer to the request of that key, None if there was none within a day."""
    row = connection.execute(
        select(answers).where(
            answers.c.caller == caller, answers.c.key == key, answers.c.at > now - KEPT
        )
    ).one_or_none()
    return Answer(row.digest, row.status, row.headers or {}, row.body) if row else None


def note(connection: Connection, caller: str, key: str, answer: Answer, now: datetime) -> None:
    """Note an answer, in the transaction of what it tells of. Whoever has looked for it there and
    found none is the only one that notes it."""
    forget(connection, now)
    connection.execute(
        answers.insert().values(
            caller=caller,
            key=key,
            digest=answer.digest,
            status=answer.status,
            headers=dict(answer.headers),
            body=answer.body,
            at=now,
        )
    )


def forget(connection: Connection, now: datetime) -> None:
    """Let the answers go that are not found any more."""
    connection.execute(delete(answers).where(answers.c.at <= now - KEPT))
