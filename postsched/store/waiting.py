"""Everything that is still to go out, and what went out lately, in the order of time.

Read a chunk at a time, each beginning where the last one ended, so that a queue of any length takes
the same memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Text,
    and_,
    func,
    or_,
    select,
    text,
    true,
    type_coerce,
)

from postsched.domain.delivery import IN_DOUBT, DeliveryStatus
from postsched.store.tables import DRAFTS, deliveries, posts

S = DeliveryStatus
CHUNK = 500
"""How many rows are read at once."""
UNSENT = (S.SCHEDULED, S.RETRYING)
OUT = '%"out":%'
"""What the steps say of a part that is out."""


@dataclass(frozen=True, slots=True, order=True)
class Timed:
    """A delivery and its instant (UTC): when it is due, or when it went out."""

    at: datetime
    delivery_id: int
    post_id: int
    account_id: int


@dataclass(frozen=True, slots=True)
class Among:
    """Which deliveries are wanted: of those accounts or of those posts; None for both: all."""

    accounts: Collection[int] | None = None
    posts: Collection[int] | None = None

    @property
    def condition(self) -> ColumnElement[bool]:
        """The same in SQL."""
        row = deliveries.c
        if self.accounts is None and self.posts is None:
            return true()
        return or_(row.account_id.in_(self.accounts or ()), row.post_id.in_(self.posts or ()))


def to_go_out(connection: Connection, among: Among) -> Iterator[Timed]:
    """What is scheduled or tried again, whether or not it is paused, soonest first."""
    row = deliveries.c
    streams = (
        _stream(connection, row.due_at, row.status == status.value, among) for status in UNSENT
    )
    return merge(*streams)


def count(connection: Connection, among: Among) -> tuple[int, int]:
    """How many these are, and of how many posts."""
    row = deliveries.c
    wanted = row.status.in_([status.value for status in UNSENT])
    query = select(func.count(), func.count(row.post_id.distinct())).where(wanted, among.condition)
    (found,) = connection.execute(query)
    return found[0], found[1]


def gone_out(connection: Connection, among: Among, since: datetime) -> Iterator[Timed]:
    """What is out since then, in whole or in part, or may be; oldest first."""
    row = deliveries.c
    is_out = and_(row.finished_at >= since, type_coerce(row.steps, Text).like(OUT))
    finished = _stream(connection, row.finished_at, is_out, among)
    return merge(finished, _in_doubt(connection, among, since))


def drafts(connection: Connection) -> Iterator[int]:
    """The ids of all drafts, a chunk at a time."""
    last = 0
    while True:
        query = select(posts.c.id).where(text(DRAFTS), posts.c.id > last)
        found = list(connection.scalars(query.order_by(posts.c.id).limit(CHUNK)))
        if not found:
            return
        yield from found
        last = found[-1]


def _stream(
    connection: Connection, instant: Column[datetime], wanted: ColumnElement[bool], among: Among
) -> Iterator[Timed]:
    """The deliveries that are wanted, by that instant."""
    row = deliveries.c
    whole = select(instant, row.id, row.post_id, row.account_id).where(wanted, among.condition)
    whole = whole.order_by(instant, row.id).limit(CHUNK)
    query = whole
    while found := [Timed(*one) for one in connection.execute(query)]:
        yield from found
        last = found[-1]
        after = or_(instant > last.at, row.id > last.delivery_id)
        query = whole.where(instant >= last.at, after)


def _in_doubt(connection: Connection, among: Among, since: datetime) -> Iterator[Timed]:
    row = deliveries.c
    at = func.coalesce(row.started_at, row.due_at, type_=row.due_at.type)
    wanted = row.status.in_([status.value for status in IN_DOUBT])
    query = select(at, row.id, row.post_id, row.account_id).where(wanted, among.condition)
    return iter(sorted(Timed(*one) for one in connection.execute(query.where(at >= since))))
