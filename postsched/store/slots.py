"""Weekly slots, and what sits in them: the deliveries of posts whose schedule is "slot"."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import ColumnElement, Connection, delete, func, select, text, tuple_

from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.schedule import SLOT
from postsched.domain.slots import Slot
from postsched.store import deliveries as delivery_rows
from postsched.store import zone_notes
from postsched.store.slot_tables import slots
from postsched.store.tables import (
    IN_SLOTS,
    accounts,
    deliveries,
    group_members,
    groups,
    schedules,
)

S = DeliveryStatus
QUEUED = (S.SCHEDULED, S.RETRYING, S.PUBLISHING, S.CONFIRMING)
"""What sits in a slot and is still on its way."""
TAKING = (*QUEUED, S.UNCONFIRMED, S.PUBLISHED)
"""What keeps others out of a slot."""


@dataclass(frozen=True, slots=True)
class Owned:
    """A slot, and the account or group of that name that has it."""

    id: int
    name: str
    is_group: bool
    slot: Slot


@dataclass(frozen=True, slots=True)
class Sitting:
    """A delivery that is to come: its occurrence, when it is due (UTC), and whether it came by a
    slot."""

    post_id: int
    occurrence: datetime
    due_at: datetime
    by_slot: bool


def every(connection: Connection) -> list[Owned]:
    """All slots: by name, then as the week has them."""
    row = slots.c
    query = (
        select(row.id, accounts.c.name, groups.c.name.label("group"), row.day, row.at, row.tz)
        .select_from(slots)
        .outerjoin(accounts, accounts.c.id == row.account_id)
        .outerjoin(groups, groups.c.id == row.group_id)
    )
    found = [
        Owned(
            one.id,
            one.name or one.group,
            one.group is not None,
            Slot(one.day, time.fromisoformat(one.at), one.tz),
        )
        for one in connection.execute(query)
    ]
    return sorted(found, key=lambda one: (one.name, one.slot))


def insert(connection: Connection, owner: str, new: Sequence[Slot]) -> None:
    """Give the account or group of that name further slots."""
    account = connection.scalar(select(accounts.c.id).where(accounts.c.name == owner))
    group = connection.scalar(select(groups.c.id).where(groups.c.name == owner))
    owned = {"account_id": account, "group_id": None if account is not None else group}
    rows = [{**owned, "day": s.day, "at": s.at.isoformat(), "tz": s.tz} for s in new]
    if rows:
        connection.execute(slots.insert(), rows)
        zone_notes.note(connection, {slot.tz for slot in new})


def remove(connection: Connection, slot_ids: Sequence[int]) -> None:
    """Take those slots away."""
    for start in range(0, len(slot_ids), 500):
        chunk = slot_ids[start : start + 500]
        connection.execute(delete(slots).where(slots.c.id.in_(chunk)))


def of_accounts(
    connection: Connection, account_ids: Collection[int] | None = None
) -> dict[int, list[Slot]]:
    """By account id, the slots that those accounts (None: all) have, of their own or by a group:
    each once."""
    row, member = slots.c, group_members.c
    queries = (
        select(row.account_id, row.day, row.at, row.tz).where(row.account_id.is_not(None)),
        select(member.account_id, row.day, row.at, row.tz).join_from(
            slots, group_members, member.group_id == row.group_id
        ),
    )
    found: dict[int, set[Slot]] = defaultdict(set)
    for query in queries:
        for account_id, day, at, tz in connection.execute(query):
            found[account_id].add(Slot(day, time.fromisoformat(at), tz))
    return {
        number: sorted(mine)
        for number, mine in found.items()
        if account_ids is None or number in account_ids
    }


def sitting(
    connection: Connection,
    account_id: int,
    after: datetime,
    until: datetime | None = None,
    *,
    in_slots: bool = True,
) -> list[Sitting]:
    """What is due for an account after that instant (and no later than `until`) and has its place
    there by a slot; without `in_slots` all that has, or may have, its place there."""
    row = deliveries.c
    query = (
        select(row.post_id, row.occurrence, row.due_at, schedules.c.kind)
        .join_from(deliveries, schedules, schedules.c.post_id == row.post_id)
        .where(row.due_at > after, row.account_id == account_id)
    )
    if until is not None:
        query = query.where(row.due_at <= until)
    if in_slots:
        query = query.where(*_in_slots(TAKING))
    else:
        query = query.where(row.status.in_([status.value for status in TAKING]))
    return [
        Sitting(one.post_id, one.occurrence, one.due_at, one.kind == SLOT)
        for one in connection.execute(query)
    ]


def queued(connection: Connection, account_ids: Collection[int] | None = None) -> list[Delivery]:
    """What sits in slots of those accounts (None: all) and is still on its way, by occurrence."""
    row = deliveries.c
    query = delivery_rows.selected().where(*_in_slots(QUEUED)).order_by(row.occurrence, row.id)
    if account_ids is not None:
        query = query.where(row.account_id.in_(account_ids))
    return [delivery_rows.delivery_of(one) for one in connection.execute(query)]


def seats(
    connection: Connection, post_ids: Collection[int], account_ids: Collection[int]
) -> list[Delivery]:
    """What of those posts sits in slots of those accounts and is still on its way."""
    row = deliveries.c
    query = delivery_rows.selected().where(
        row.post_id.in_(post_ids), row.account_id.in_(account_ids), *_in_slots(QUEUED)
    )
    return [delivery_rows.delivery_of(one) for one in connection.execute(query.order_by(row.id))]


def beside(connection: Connection, seat: Delivery, by: int) -> Delivery | None:
    """What stands in the line of an account right behind (`by` 1) or before (-1) one that does."""
    row = deliveries.c
    place, here = tuple_(row.occurrence, row.id), (seat.occurrence, seat.id)
    query = delivery_rows.selected().where(row.account_id == seat.account_id, *_in_slots(QUEUED))
    if by > 0:
        query = query.where(place > here).order_by(row.occurrence, row.id)
    else:
        query = query.where(place < here).order_by(row.occurrence.desc(), row.id.desc())
    found = connection.execute(query.limit(1)).first()
    return None if found is None else delivery_rows.delivery_of(found)


def _in_slots(statuses: Sequence[DeliveryStatus]) -> list[ColumnElement[bool]]:
    """The conditions for deliveries that sit in slots, in one of those statuses. The status is told
    such that no index of it is used: nearly all deliveries may have it, and few sit in slots."""
    there = select(schedules.c.post_id).where(text(IN_SLOTS))
    told = func.coalesce(deliveries.c.status, "")
    return [
        deliveries.c.post_id.in_(there),
        told.in_([status.value for status in statuses]),
    ]
