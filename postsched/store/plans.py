"""Deliveries as people want them: planned with a post, written anew with its changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    delete,
    update,
)

from postsched.domain.delivery import (
    Delivery,
    DeliveryStatus,
)
from postsched.store import deliveries as delivery_rows
from postsched.store.tables import (
    deliveries,
)
from postsched.store.upserts import upsert

S = DeliveryStatus


@dataclass(frozen=True, slots=True)
class Planned:
    """A new delivery, to be written. `due_at` is when to send it, if that is not the occurrence;
    `prepare_at` is when to begin preparing it, if that takes requests."""

    post_id: int
    account_id: int
    occurrence: datetime
    grace_until: datetime | None
    priority: int = 0
    paused: bool = False
    prepare_at: datetime | None = None
    due_at: datetime | None = None
    number: int | None = None
    leads: bool = False
    wording: Mapping[str, Any] | None = None

    @property
    def due(self) -> datetime:
        """When it is to be sent (UTC)."""
        return self.due_at or self.occurrence


def plan(connection: Connection, rows: Iterable[Planned]) -> int:
    """Write new deliveries; those that exist already stay as they are. How many were new."""
    values = [planned_values(row) for row in rows]
    if not values:
        return 0
    statement = upsert(connection, deliveries).on_conflict_do_nothing()
    return len(connection.scalars(statement.returning(deliveries.c.id), values).all())


def planned_values(row: Planned) -> dict[str, Any]:
    """The columns of a new delivery that have no default."""
    return {
        "post_id": row.post_id,
        "account_id": row.account_id,
        "occurrence": row.occurrence,
        "due_at": row.due,
        "next_at": row.due,
        "prepare_at": row.prepare_at,
        "status": S.SCHEDULED.value,
        "grace_until": row.grace_until,
        "priority": row.priority,
        "paused": int(row.paused),
        "number": row.number,
        "leads": int(row.leads),
        "wording": row.wording,
    }


def forget(connection: Connection, delivery: Delivery) -> None:
    """Remove a delivery of which nothing was ever sent; its attempts go with it."""
    connection.execute(delete(deliveries).where(deliveries.c.id == delivery.id))


def reword(connection: Connection, delivery_id: int, wording: Mapping[str, Any] | None) -> None:
    """Have a delivery say that in place of the post's text."""
    query = update(deliveries).where(deliveries.c.id == delivery_id)
    connection.execute(query.values(wording=wording))


def rewrite_plan(
    connection: Connection, before: Delivery, after: Delivery, planned: Planned
) -> None:
    """Write a delivery anew for a changed post. What was prepared for it is discarded, a claim to
    prepare it too, and its revision rises, so that no network takes it for the old one."""
    waiting = after.next_at is not None
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id == before.id, deliveries.c.status == before.status.value)
        .values(
            **delivery_rows.values_of(
                replace(after, steps=(), claim=None, revision=before.revision + 1)
            ),
            occurrence=planned.occurrence,
            number=planned.number,
            leads=int(planned.leads),
            wording=planned.wording,
            prepare_at=planned.prepare_at if waiting else None,
            priority=planned.priority,
            finished_at=None if waiting else deliveries.c.finished_at,
        )
    )


def rewrite(connection: Connection, delivery: Delivery, before: Delivery, now: datetime) -> bool:
    """Write what a person changed, if the delivery is still in the status it was read in, and
    nobody has claimed it to send it; whether it was."""
    finished = delivery.next_at is None and delivery.claim is None
    values = {**delivery_rows.values_of(delivery), "finished_at": now if finished else None}
    if delivery.status is not S.SCHEDULED:
        values["prepare_at"] = None
    row = deliveries.c
    statement = (
        update(deliveries)
        .where(row.id == delivery.id, row.status == before.status.value)
        .where(row.attempts == before.attempts, row.revision == before.revision)
        .values(values)
    )
    return connection.execute(statement).rowcount > 0
