"""What is to be told, as those who tell it see it: claimed, and settled. See `outbox`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    case,
    delete,
    func,
    select,
    text,
    update,
)

from postsched.domain.notice import GIVE_UP, Event, Message, Way
from postsched.store.outbox_tables import UNTOLD, notifications

KEPT = timedelta(days=30)
"""How long a row stays after it was written."""
SHARE = 500
"""How many rows are removed at once: nobody is to wait for that."""


@dataclass(frozen=True, slots=True)
class Untold:
    """A row that is held: tried `attempts` times, this one included, first at `first_at`."""

    id: int
    attempts: int
    first_at: datetime
    message: Message


@dataclass(frozen=True, slots=True)
class Backlog:
    """How it stands with one way: how many rows wait after a failed try, how many were given up,
    and what the newest of either came to."""

    way: Way
    waiting: int
    given_up: int
    problem: str


def next_at(connection: Connection, way: Way) -> datetime | None:
    """When something is to be told in that way, or a claim runs out; None for never."""
    row = notifications.c
    when = case((row.claim.is_(None), row.next_at), else_=row.claim_until)
    query = select(func.min(when)).where(text(UNTOLD), row.way == way.value)
    found: datetime | None = connection.scalar(query)
    return found


def due(connection: Connection, way: Way, now: datetime, limit: int) -> list[tuple[int, str]]:
    """The id and the address of up to so many rows that may be claimed, in the order in which they
    are told."""
    row = notifications.c
    query = select(row.id, func.coalesce(row.url, "")).where(
        text(UNTOLD), row.way == way.value, row.next_at <= now, _free(now)
    )
    found = connection.execute(query.order_by(row.next_at, row.id).limit(limit))
    return [(one[0], one[1]) for one in found]


def _free(now: datetime) -> ColumnElement[bool]:
    return notifications.c.claim.is_(None) | (notifications.c.claim_until <= now)


def claim(
    connection: Connection,
    way: Way,
    now: datetime,
    upto: datetime,
    until: datetime,
    token: str,
    limit: int,
    only: Sequence[int] | None = None,
) -> list[Untold]:
    """Hold up to `limit` rows due at `upto`, until then; a claim that ran out at `now` is taken
    over. Counts a try. `only`: of those ids."""
    row = notifications.c
    first = (
        select(row.id)
        .where(text(UNTOLD), row.way == way.value, row.next_at <= upto, _free(now))
        .order_by(row.next_at, row.id)
        .limit(limit)
    )
    if only is not None:
        first = first.where(row.id.in_(only))
    statement = (
        update(notifications)
        .where(row.id.in_(first))
        .values(
            claim=token,
            claim_until=until,
            attempts=row.attempts + 1,
            first_at=func.coalesce(row.first_at, bindparam("at", now, row.first_at.type)),
        )
        .returning(*notifications.c)
    )
    return sorted(map(_untold, connection.execute(statement)), key=lambda one: one.id)


def let_go(connection: Connection, token: str, ids: Iterable[int]) -> None:
    """Give rows back of which nothing was told; the try does not count."""
    row = notifications.c
    connection.execute(
        update(notifications)
        .where(row.id.in_(list(ids)), row.claim == token)
        .values(claim=None, claim_until=None, attempts=row.attempts - 1)
    )


def settle(
    connection: Connection,
    token: str,
    ids: Sequence[int],
    now: datetime,
    again: datetime | None,
    problem: str | None,
    done: Sequence[str] = (),
    answer: int | None = None,
) -> None:
    """End a claim: told, or to be told again at that instant, or (with a problem, and none) given
    up. `answer` is the status code of the receiver's answer, if it gave one."""
    row = notifications.c
    connection.execute(
        update(notifications)
        .where(row.id.in_(ids), row.claim == token)
        .values(
            claim=None,
            claim_until=None,
            next_at=again,
            problem=problem,
            done=list(done),
            answer=answer,
            finished_at=None if again else now,
        )
    )


def put_off(
    connection: Connection, url: str, now: datetime, until: datetime, problem: str, *, dead: bool
) -> int:
    """Leave an address alone until then: what waits for it is not tried before. `dead`: what has
    waited for a day is given up; how many rows that were."""
    row = notifications.c
    waits = (
        text(UNTOLD), row.way == Way.CALLBACK.value, row.url == url, row.claim.is_(None),
        row.next_at < until,
    )  # fmt: skip
    given_up = 0
    if dead:
        over = update(notifications).where(*waits, row.first_at <= now - GIVE_UP)
        values = {"next_at": None, "finished_at": now, "problem": problem}
        given_up = connection.execute(over.values(values)).rowcount
    begun = func.coalesce(row.first_at, bindparam("at", now, row.first_at.type))
    rest = update(notifications).where(*waits).values(next_at=until, first_at=begun)
    connection.execute(rest)
    return given_up


def has_old(connection: Connection, now: datetime) -> bool:
    """Whether `prune` would remove anything."""
    return connection.scalar(_old(now).limit(1)) is not None


def prune(connection: Connection, now: datetime) -> int:
    """Remove a share of what is old, told or not: for a way that is not set any more nobody claims
    it. How many rows that were, none when no more are left."""
    oldest = _old(now).limit(SHARE).scalar_subquery()
    return connection.execute(delete(notifications).where(notifications.c.id.in_(oldest))).rowcount


def _old(now: datetime) -> Select[Any]:
    """The ids of what is old, oldest first; what a person has sent again gets its day."""
    row = notifications.c
    long_ago = row.at < now - KEPT
    waiting = row.next_at.is_not(None) & (row.at >= now - KEPT - 2 * GIVE_UP)
    return select(row.id).where(long_ago, ~waiting).order_by(row.id)


def backlog(connection: Connection, since: datetime) -> list[Backlog]:
    """The ways in which something was not taken: what waits to be tried again, and what was given
    up since then."""
    row = notifications.c
    waiting, gone = row.next_at.is_not(None), row.next_at.is_(None)
    query = (
        select(
            row.way,
            func.count().filter(waiting).label("waiting"),
            func.count().filter(gone).label("given_up"),
            func.max(row.id).label("newest"),
        )
        .where(row.problem.is_not(None), waiting | (row.finished_at >= since))
        .group_by(row.way)
    )
    found = connection.execute(query).all()
    words = select(row.id, row.problem).where(row.id.in_([one.newest for one in found]))
    problems = {one.id: one.problem for one in connection.execute(words)}
    return [Backlog(Way(one.way), one.waiting, one.given_up, problems[one.newest]) for one in found]


def _untold(row: Row[Any]) -> Untold:
    message = Message(
        row.uid,
        Event(row.event),
        row.at,
        row.account,
        (row.document,),
        tuple(row.done or ()),
        row.url,
    )
    return Untold(row.id, row.attempts, row.first_at, message)
