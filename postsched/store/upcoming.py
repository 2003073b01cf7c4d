"""What goes out next by itself: read by the live view, by index only."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, literal, select, text

from postsched.store import queue
from postsched.store.queue import Lane, Work
from postsched.store.tables import FREE, deliveries

MANY = 1000
"""Waiting deliveries are counted up to so many: a million of them are not gone through."""


@dataclass(frozen=True, slots=True)
class Upcoming:
    """The first works that wait for their instant, soonest first, and how many wait in all, where
    MANY stands for that many or more."""

    works: Sequence[Work]
    waiting: int


def upcoming(connection: Connection, limit: int) -> Upcoming:
    """The first `limit` deliveries that nobody holds and that no person has to release."""
    lanes = queue.lanes(connection)
    firsts = [_first(connection, lane, limit) for lane in lanes]
    ids = [delivery_id for _, delivery_id in heapq.merge(*firsts)][:limit]
    works = sorted(queue.load(connection, ids), key=lambda work: ids.index(work.delivery.id))
    return Upcoming(works, _count(connection, lanes))


def _first(connection: Connection, lane: Lane, limit: int) -> list[tuple[datetime, int]]:
    """Instant and id of the first deliveries of a lane, in order."""
    row = deliveries.c
    query = (
        select(row.next_at, row.id)
        .where(row.account_id == lane.account_id, row.priority == lane.priority, text(FREE))
        .order_by(row.next_at, row.id)
        .limit(limit)
    )
    return [(found.next_at, found.id) for found in connection.execute(query)]


def _count(connection: Connection, lanes: Sequence[Lane]) -> int:
    accounts = {lane.account_id for lane in lanes}
    some = (
        select(literal(1))
        .select_from(deliveries)
        .where(deliveries.c.account_id.in_(accounts), text(FREE))
        .limit(MANY)
    )
    return connection.scalar(select(func.count()).select_from(some.subquery())) or 0
