"""The line in which posts stand in the slots of each account: how long it is, and a stretch of it.

A line may have tens of thousands of posts: the database counts them, and what is read is what is
shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Integer, column, text

from postsched.domain.delivery import Delivery
from postsched.store import deliveries as delivery_rows
from postsched.store.slots import QUEUED
from postsched.store.tables import IN_SLOTS, deliveries

STATUSES = ", ".join(f"'{status.value}'" for status in QUEUED)
# As in slots.py no index of the status is used: nearly all deliveries may have it.
LINE = text(
    f"""
    SELECT id, account_id, length FROM (
        SELECT d.id, d.account_id, d.occurrence,
            row_number() OVER (PARTITION BY d.account_id ORDER BY d.occurrence, d.id) AS place,
            count(*) OVER (PARTITION BY d.account_id) AS length
        FROM schedules JOIN deliveries d ON d.post_id = schedules.post_id
        WHERE schedules.{IN_SLOTS} AND coalesce(d.status, '') IN ({STATUSES})
    ) AS line
    WHERE place > :skip AND place <= :upto AND (:account = 0 OR account_id = :account)
    ORDER BY occurrence, id
    """  # noqa: S608 - made of constants only
).columns(column("id", Integer), column("account_id", Integer), column("length", Integer))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of an account's line, and how long all of it is."""

    deliveries: Sequence[Delivery]
    length: int


def stretches(
    connection: Connection, skip: int, most: int, account_id: int | None = None
) -> Mapping[int, Stretch]:
    """By account id (None: of all that have one) up to `most` of its line behind the first `skip`,
    in the order of time."""
    values = {"skip": skip, "upto": skip + most, "account": account_id or 0}
    line = connection.execute(LINE, values).all()
    query = delivery_rows.selected().where(deliveries.c.id.in_([one.id for one in line]))
    known = {one.id: delivery_rows.delivery_of(one) for one in connection.execute(query)}
    lengths = {one.account_id: one.length for one in line}
    return {
        number: Stretch([known[one.id] for one in line if one.account_id == number], length)
        for number, length in lengths.items()
    }
