"""By which rules of their zones waiting deliveries were planned, and those that it concerns.

A delivery waits at an instant, its schedule names a local time. So it is noted in `meta`, as `zone
NAME`, by which rules of that zone (`domain.zone_files`) instants were worked out: of one tz
database, or of several, one after the other, until somebody has gone through them all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, or_, select, text, union, update

from postsched.domain import zone_files
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.schedule import ONCE
from postsched.store import deliveries as delivery_rows
from postsched.store.plans import Planned, planned_values
from postsched.store.sharing import is_shared
from postsched.store.slot_tables import slots
from postsched.store.tables import LEADING, RECURRING, deliveries, meta, schedules
from postsched.store.upserts import upsert

S = DeliveryStatus
_PREFIX, _BEYOND = "zone ", "zone!"
UNKNOWN = "?"
"""Stands for rules that were not noted."""


@dataclass(frozen=True, slots=True)
class Note:
    """By which rules the instants of a zone were worked out: `texts` are those of `zone_files`, or
    UNKNOWN. They are settled where that is only what holds in this process."""

    zone: str
    texts: tuple[str, ...]

    @property
    def settled(self) -> bool:
        """Whether all is as the rules are now."""
        return self.texts == (zone_files.text_of(self.zone),)


def note(connection: Connection, zones: Iterable[str]) -> None:
    """Note that instants in those zones were worked out in this process. In the transaction that
    they are written in."""
    wanted = {zone: zone_files.text_of(zone) for zone in zones}
    there = _noted(connection, wanted)
    new = [zone for zone, rules in wanted.items() if rules and rules not in there.get(zone, [])]
    if new and is_shared(connection):  # others may be noting theirs
        there |= _lock(connection, new)
    for zone in new:
        noted = there.get(zone, [])
        if wanted[zone] not in noted:
            _write(connection, zone, [*noted, wanted[zone]])


def keep_up(connection: Connection, zones: Iterable[str]) -> list[str]:
    """Note the same before instants are worked out, in a process that runs on. Where others go by
    other rules, those of this process may be of long ago: they are read anew. Returns the zones of
    which others do go by other ones, which nobody had noted before."""
    names = sorted(set(zones))
    if not _strange(connection, names):
        return []
    zone_files.forget()
    strange = _strange(connection, names)
    there = _noted(connection, strange)
    note(connection, names)
    return [zone for zone in strange if there.get(zone)]


def note_all_in_use(connection: Connection) -> None:
    """Note the zones of all schedules and slots there are, by rules unknown."""
    for zone in connection.scalars(union(select(schedules.c.tz), select(slots.c.tz))).all():
        _write(connection, zone, [UNKNOWN])


def unsettled(connection: Connection) -> list[Note]:
    """The zones of which instants may have been worked out by other rules than those of now. One
    small query; no post is read."""
    query = select(meta.c.name, meta.c.value)
    query = query.where(meta.c.name >= _PREFIX, meta.c.name < _BEYOND)
    notes = [
        Note(row.name.removeprefix(_PREFIX), tuple(row.value.split()))
        for row in connection.execute(query)
    ]
    return [one for one in notes if not one.settled]


def is_followed(connection: Connection) -> bool:
    """Whether all that waits was planned by the rules of now."""
    return not unsettled(connection)


def settle(connection: Connection, before: Note) -> None:
    """Note that all was brought into line with the rules of now, unless others have noted their own
    since it was read."""
    row = meta.c
    query = update(meta).where(row.name == _PREFIX + before.zone)
    query = query.where(row.value == " ".join(before.texts))
    connection.execute(query.values(value=zone_files.text_of(before.zone)))


def _noted(connection: Connection, zones: Iterable[str]) -> dict[str, list[str]]:
    query = select(meta.c.name, meta.c.value)
    query = query.where(meta.c.name.in_([_PREFIX + zone for zone in zones]))
    found = connection.execute(query)
    return {row.name.removeprefix(_PREFIX): row.value.split() for row in found}


def _lock(connection: Connection, zones: Iterable[str]) -> dict[str, list[str]]:
    """What is noted of those zones, of which nobody else notes anything until the end of the
    transaction."""
    rows = [{"name": _PREFIX + zone, "value": ""} for zone in sorted(zones)]
    statement = upsert(connection, meta)
    kept = statement.on_conflict_do_update(
        index_elements=["name"], set_={"name": statement.excluded.name}
    )
    for row in rows:
        connection.execute(kept.values(row))
    return _noted(connection, zones)


def _strange(connection: Connection, zones: Collection[str]) -> list[str]:
    """Those of the zones for which the rules of this process are not noted."""
    there = _noted(connection, zones)
    return [zone for zone in zones if zone_files.text_of(zone) not in there.get(zone, [])]


def _write(connection: Connection, zone: str, texts: Sequence[str]) -> None:
    values = {"name": _PREFIX + zone, "value": " ".join(texts)}
    statement = upsert(connection, meta).values(values)
    changed = {"value": values["value"]}
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changed))


def waiting_once(connection: Connection, zone: str) -> Iterator[tuple[int, str, datetime]]:
    """The deliveries in that zone that go out once and were never tried: their id, the time of the
    schedule, and the occurrence."""
    row = deliveries.c
    query = (
        select(row.id, schedules.c.at, row.occurrence)
        .join_from(deliveries, schedules, schedules.c.post_id == row.post_id)
        .where(row.status == S.SCHEDULED.value, row.attempts == 0)
        .where(schedules.c.kind == ONCE, schedules.c.tz == zone, schedules.c.at.is_not(None))
    )
    for found in connection.execute(query.execution_options(yield_per=1000)):
        yield found.id, found.at, found.occurrence


def series_in(connection: Connection, zone: str, now: datetime) -> list[tuple[int, int]]:
    """The chains, as post and account, of series in that zone with rows that wait, or were made
    ahead."""
    row = deliveries.c
    query = (
        select(row.post_id, row.account_id)
        .join_from(schedules, deliveries, row.post_id == schedules.c.post_id)
        .where(text(RECURRING), schedules.c.tz == zone, _to_come(now))
        .distinct()
        .order_by(row.post_id, row.account_id)
    )
    return [(post_id, account_id) for post_id, account_id in connection.execute(query)]


def to_come(connection: Connection, post_id: int, account_id: int, now: datetime) -> list[Delivery]:
    """The rows of a chain that wait, or were made ahead, by their occurrences."""
    row = deliveries.c
    query = delivery_rows.selected().where(row.post_id == post_id, row.account_id == account_id)
    found = connection.execute(query.where(_to_come(now)).order_by(row.occurrence))
    return [delivery_rows.delivery_of(one) for one in found]


def load(connection: Connection, delivery_ids: Collection[int]) -> list[Delivery]:
    """The deliveries of those ids that exist."""
    query = delivery_rows.selected().where(deliveries.c.id.in_(delivery_ids))
    return [delivery_rows.delivery_of(row) for row in connection.execute(query)]


def stand_for(connection: Connection, delivery: Delivery, at: datetime, due: datetime) -> None:
    """Have a row that does not wait stand for another occurrence of its series."""
    query = update(deliveries).where(deliveries.c.id == delivery.id)
    connection.execute(query.values(occurrence=at, due_at=due))


_NOT_HELD = dict.fromkeys(("steps", "claim", "claim_worker", "claimed_at", "claim_until"))
_TIMES = ("occurrence", "due_at", "next_at", "grace_until", "prepare_at")
_PLAN_ANEW = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("row"), deliveries.c.status == S.SCHEDULED.value)
    .values(_NOT_HELD)
    .values({name: bindparam(f"new_{name}") for name in _TIMES})
    .values(revision=deliveries.c.revision + 1)
)


def plan_anew(connection: Connection, rows: Sequence[tuple[int, Planned]]) -> None:
    """Write many waiting deliveries, by their ids, as they are planned now, as `plans.rewrite_plan`
    does one."""
    values = [{"row": number} | _times(planned) for number, planned in rows]
    if values:
        connection.execute(_PLAN_ANEW, values)


def _times(planned: Planned) -> dict[str, Any]:
    found = planned_values(planned)
    return {f"new_{name}": found[name] for name in _TIMES}


def _to_come(now: datetime) -> ColumnElement[bool]:
    row = deliveries.c
    return or_(text(f"deliveries.{LEADING}"), row.occurrence > now, row.status == S.SCHEDULED.value)
