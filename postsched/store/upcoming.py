"""What goes out next by itself: read by the live view, by index only."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, func, literal, select, text

from postsched.domain.delivery import DeliveryStatus
from postsched.store import posts as post_rows
from postsched.store.lanes import Lane, waiting_lanes
from postsched.store.pauses import all_paused
from postsched.store.said import posts_said, those_apart
from postsched.store.tables import FREE, accounts, deliveries, posts

MANY = 1000
"""Waiting deliveries are counted up to so many: a million of them are not gone through."""
BEGINNING = 300
"""How many characters of a post's text are read."""


@dataclass(frozen=True, slots=True, order=True)
class Coming:
    """A delivery that waits for an instant (UTC), with the beginning of what it says."""

    at: datetime
    delivery_id: int
    post_id: int
    account: str
    status: DeliveryStatus
    text: str


@dataclass(frozen=True, slots=True)
class Upcoming:
    """The first that wait, soonest first, and how many wait in all, where MANY stands for that
    many or more."""

    first: Sequence[Coming] = ()
    waiting: int = 0


def upcoming(connection: Connection, limit: int) -> Upcoming:
    """The first `limit` deliveries that nobody holds and that no person has to release."""
    waiting = waiting_lanes(connection)
    firsts = heapq.merge(*(_first(connection, lane, limit) for lane in waiting))
    return Upcoming(_said(connection, list(firsts)[:limit]), _count(connection, waiting))


def _first(connection: Connection, lane: Lane, limit: int) -> list[Coming]:
    row = deliveries.c
    beginning = func.substr(posts.c.text, 1, BEGINNING)
    free = f"deliveries.{FREE}".replace(" AND ", " AND deliveries.")
    query = (
        select(row.next_at, row.id, row.post_id, accounts.c.name, row.status, beginning)
        .join_from(deliveries, posts)
        .join(accounts, accounts.c.id == row.account_id)
        .where(row.account_id == lane.account_id, row.priority == lane.priority, text(free))
        .order_by(row.next_at, row.id)
        .limit(limit)
    )
    found = connection.execute(query)
    return [Coming(at, n, post, name, DeliveryStatus(status), start)
            for at, n, post, name, status, start in found]  # fmt: skip


def _said(connection: Connection, coming: Sequence[Coming]) -> list[Coming]:
    """The same, where a post says something else than it reads with what it says."""
    apart = those_apart(connection, [one.delivery_id for one in coming])
    posts = post_rows.to_send(connection, list({d.post_id for d in apart})) if apart else {}
    said = dict(zip((d.id for d in apart), posts_said(connection, apart, posts), strict=True))
    return [
        replace(one, text=said[one.delivery_id].content.text[:BEGINNING])
        if one.delivery_id in said else one
        for one in coming
    ]  # fmt: skip


def _count(connection: Connection, lanes: Sequence[Lane]) -> int:
    some = (
        select(literal(1))
        .select_from(deliveries)
        .where(deliveries.c.account_id.in_({lane.account_id for lane in lanes}), text(FREE))
        .limit(MANY)
    )
    return connection.scalar(select(func.count()).select_from(some.subquery())) or 0


def next_due(connection: Connection) -> datetime | None:
    """When the first delivery is or was due that no pause holds; one whose account's login is
    refused counts, for it is late."""
    row = deliveries.c
    if all_paused(connection):
        return None
    firsts = (
        connection.scalar(
            select(row.due_at)
            .join_from(deliveries, accounts)
            .where(row.status == status.value, row.paused == 0, accounts.c.paused == 0)
            .order_by(row.due_at)
            .limit(1)
        )
        for status in (DeliveryStatus.SCHEDULED, DeliveryStatus.RETRYING)
    )
    return min((first for first in firsts if first is not None), default=None)
