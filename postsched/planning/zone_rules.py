"""What waits moves when the rules of its zone have changed: a local time stays that local time.

A delivery waits at an instant, which was worked out by the rules that the tz database had then.
Where it has others now, the instant is worked out anew: of what goes out once from its schedule,
of a series and of a slot from the local time that the old instant was by the old rules. What was
given with an offset stays, and so does what was tried already, or asked for anew by a person.

It is done in transactions of a few hundred rows, so that nobody else has to wait, and noted last:
what was broken off is gone through again, and finds the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection

from postsched.domain import zone_files
from postsched.domain.delivery import Delivery
from postsched.domain.schedule import Schedule
from postsched.domain.slots import Slot
from postsched.domain.zones import resolve, zone_named
from postsched.planning.landing import Landing
from postsched.planning.moving import Moved, Mover, is_movable
from postsched.planning.planner import Planner
from postsched.store import posts as post_rows
from postsched.store import slots as slot_rows
from postsched.store import zone_notes
from postsched.store.zone_notes import UNKNOWN, Note

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from postsched.store.database import Database

log = logging.getLogger("postsched.engine")
T = TypeVar("T")
CHUNK = 250
"""How many deliveries, or series, are moved in one transaction."""


def follow(database: Database, planner: Planner, now: datetime) -> int:
    """Move what waits by rules that don't hold any more; how many deliveries that were. Where
    nothing has changed, it is one small query.

    Raises StoreUnavailable; what was moved by then stays so.
    """
    with database.read() as connection:
        notes = zone_notes.unsettled(connection)
    return sum(_follow(database, planner, now, note) for note in notes)


def renewed(planner: Planner) -> Planner:
    """The planner with its own zone by the rules of now."""
    timing = replace(planner.timing, zone=zone_files.renewed(planner.timing.zone))
    return replace(planner, timing=timing)


def _follow(database: Database, planner: Planner, now: datetime, note: Note) -> int:
    holds = zone_files.text_of(note.zone)
    if not holds:
        words = "there is no time zone %s any more: what waits in it stays at its instants"
        log.warning(f"{words}. Update the tz database", note.zone)
        return 0
    others = [text for text in note.texts if text not in (holds, UNKNOWN)]
    before = [zone_files.zone_of(text, note.zone) for text in others]
    mixed = UNKNOWN in note.texts or holds in note.texts
    change = _Change(database, planner, now, zone_named(note.zone), before, mixed)
    moved = _Tally()
    for one in change.made():
        moved.add(one)
    with database.write() as connection:
        zone_notes.settle(connection, note)
    if moved.count:
        log.warning("the rules of %s have changed: %s", note.zone, moved)
    return moved.count


@dataclass(frozen=True, slots=True)
class _Change:
    """The change of one zone: `zone` by the rules of now, `before` by others; `mixed` if some
    instants may be by the rules of now already, or by rules that are not known."""

    database: Database
    planner: Planner
    now: datetime
    zone: ZoneInfo
    before: Sequence[ZoneInfo]
    mixed: bool

    def made(self) -> Iterator[Moved]:
        """Make it, and tell what was moved."""
        with self.database.read() as connection:
            once = self._once(connection)
            series = zone_notes.series_in(connection, self.zone.key, self.now)
            slots = self._in_slots(connection)
        yield from self._in_chunks(once, self._move_once)
        yield from self._in_chunks(series, self._move_series)
        yield from self._in_chunks(list(slots), partial(self._move_slots, to=slots))

    def _in_chunks(
        self, every: Sequence[T], move: Callable[[Connection, Sequence[T]], list[Moved]]
    ) -> Iterator[Moved]:
        for start in range(0, len(every), CHUNK):
            with self.database.write() as connection:
                moved = move(connection, every[start : start + CHUNK])
            yield from moved

    def _once(self, connection: Connection) -> list[int]:
        """The deliveries whose schedule names another instant now."""
        return [
            number
            for number, at, occurrence in zone_notes.waiting_once(connection, self.zone.key)
            if _instant(at, self.zone) not in (None, occurrence)
        ]

    def _move_once(self, connection: Connection, ids: Sequence[int]) -> list[Moved]:
        waiting = zone_notes.load(connection, ids)
        schedules = post_rows.schedule_of(connection, [one.post_id for one in waiting])
        return self._move(
            connection, [(one, _named(schedules[one.post_id], self.zone)) for one in waiting]
        )

    def _move_slots(
        self, connection: Connection, ids: Sequence[int], to: dict[int, datetime]
    ) -> list[Moved]:
        waiting = zone_notes.load(connection, ids)
        return self._move(connection, [(one, to[one.id]) for one in waiting])

    def _move(
        self, connection: Connection, wanted: Sequence[tuple[Delivery, datetime | None]]
    ) -> list[Moved]:
        """Move what can be moved still, and is not there already."""
        moved = [
            Moved(one, at)
            for one, at in wanted
            if at is not None and at != one.occurrence and is_movable(one)
        ]
        mover = self._mover(connection, [one.delivery.post_id for one in moved])
        return mover.move(moved)

    def _move_series(self, connection: Connection, every: Sequence[tuple[int, int]]) -> list[Moved]:
        ids = [post_id for post_id, _ in every]
        schedules, mover = post_rows.schedule_of(connection, ids), self._mover(connection, ids)
        moved: list[Moved] = []
        for post_id, account_id in every:
            landing = Landing(schedules[post_id], self.zone, self.before, self.mixed)
            moved += mover.move_chain(landing, post_id, account_id)
        return moved

    def _mover(self, connection: Connection, post_ids: Sequence[int]) -> Mover:
        why = f"the rules of {self.zone.key} have changed"
        return Mover.over(connection, self.planner, self.now, why, post_ids)

    def _in_slots(self, connection: Connection) -> dict[int, datetime]:
        """What sits in slots of the zone, and where those are now (UTC)."""
        every = slot_rows.of_accounts(connection)
        mine = {n: {one for one in slots if one.tz == self.zone.key} for n, slots in every.items()}
        accounts = [account_id for account_id, slots in mine.items() if slots]
        if not (accounts and self.before):
            return {}
        sitting = slot_rows.queued(connection, accounts)
        found = {one.id: self._of_slot(one, mine[one.account_id]) for one in sitting}
        return {number: at for number, at in found.items() if at is not None}

    def _of_slot(self, delivery: Delivery, slots: set[Slot]) -> datetime | None:
        """Where the slot is now that a delivery sits in, None if it sits in none of these."""
        for zone in [self.zone, *self.before] if self.mixed else self.before:
            local = delivery.occurrence.astimezone(zone).replace(tzinfo=None, fold=0)
            if Slot(local.weekday(), local.time(), self.zone.key) in slots:
                return resolve(local, self.zone)[0]
        return None


def _named(schedule: Schedule, zone: ZoneInfo) -> datetime | None:
    """The instant of what goes out once at a local time of that zone; None for all else."""
    if schedule.recurs or schedule.tz != zone.key or schedule.at is None:
        return None
    return _instant(schedule.at, zone)


def _instant(at: str, zone: ZoneInfo) -> datetime | None:
    local = datetime.fromisoformat(at)
    return None if local.tzinfo is not None else resolve(local, zone)[0]


@dataclass(slots=True)
class _Tally:
    """How many were moved, and which of them comes first."""

    count: int = 0
    first: Moved | None = None

    def add(self, moved: Moved) -> None:
        """Count one."""
        self.count += 1
        if self.first is None or moved.at < self.first.at:
            self.first = moved

    def __str__(self) -> str:
        if self.first is None:
            return "nothing moved"
        one, posts = self.first.delivery, "post" if self.count == 1 else "posts"
        return (
            f"{self.count:,} {posts} moved, the first, post {one.post_id} to {one.account}, "
            f"from {one.occurrence:%Y-%m-%d %H:%M:%S} to {self.first.at:%Y-%m-%d %H:%M:%S} UTC"
        )
