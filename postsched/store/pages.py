"""Posts and deliveries page by page, newest first: each page begins behind the last row of the one
before, whatever was written meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Select, or_, select

from postsched.domain.delivery import Delivery
from postsched.store import deliveries as delivery_rows
from postsched.store import reading
from postsched.store.reading import Filed, Filter
from postsched.store.tables import deliveries
from postsched.store.tables import posts as post_table

Finished = tuple[datetime, Delivery]
"""A delivery, and when it was finished (UTC)."""


def posts(connection: Connection, wanted: Filter, before: int | None, limit: int) -> list[Filed]:
    """Posts that fit and were written before the one of that id, the newest first."""
    query = select(post_table.c.id).where(*reading.conditions(wanted))
    if before is not None:
        query = query.where(post_table.c.id < before)
    ids = connection.scalars(query.order_by(post_table.c.id.desc()))
    found = reading.fitting(connection, ids, wanted, min(limit, reading.CHUNK))
    return list(islice(found, limit))


def every_delivery(
    connection: Connection, wanted: Filter, post_id: int | None, before: int | None, limit: int
) -> list[Delivery]:
    """Deliveries that fit, of one post or of all, with ids before that one, the newest first;
    instants are those of their occurrences."""
    row = deliveries.c
    query = delivery_rows.selected()
    if wanted.status:
        query = query.where(row.status.in_(list(wanted.status)))
    if wanted.accounts:
        query = query.where(row.account_id.in_(wanted.accounts))
    if wanted.since is not None:
        query = query.where(row.occurrence >= wanted.since)
    if wanted.until is not None:
        query = query.where(row.occurrence <= wanted.until)
    if post_id is not None:
        query = query.where(row.post_id == post_id)
    if before is not None:
        query = query.where(row.id < before)
    return _read(connection, query.order_by(row.id.desc()).limit(limit))


def history(
    connection: Connection, wanted: Filter, before: tuple[datetime, int] | None, limit: int
) -> list[Finished]:
    """Finished deliveries that fit, the newest first: those behind the one that was finished then
    (UTC) and has that id."""
    query = reading.finished(wanted)
    if before is not None:
        row, (at, last) = deliveries.c, before
        query = query.where(row.finished_at <= at, or_(row.finished_at < at, row.id < last))
    rows = connection.execute(query.limit(limit)).all()
    found = reading.laid_out(connection, [delivery_rows.delivery_of(row) for row in rows])
    return [(row.finished_at, one) for row, one in zip(rows, found, strict=True)]


def deliveries_named(connection: Connection, ids: Sequence[int]) -> list[Delivery]:
    """The deliveries of those ids that exist."""
    return _read(connection, delivery_rows.selected().where(deliveries.c.id.in_(ids)))


def _read(connection: Connection, query: Select[Any]) -> list[Delivery]:
    found = [delivery_rows.delivery_of(row) for row in connection.execute(query)]
    return reading.laid_out(connection, found)
