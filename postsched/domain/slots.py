"""Weekly slots: the times of the week at which an account posts what has no time of its own.

Pure. A slot is a local time in its zone: one that a clock change skips moves forward by the gap,
one that it repeats means the first, and two that become one instant are one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from heapq import heappop, heappush, merge

from postsched.domain.weekdays import clock_text
from postsched.domain.zones import resolve, zone_named

_FIRST, _LAST = date(2, 1, 1), date(9998, 12, 31)
"""The days that are gone through: no offset leads from them past an end of the calendar."""
_WIDEST = timedelta(days=3)
"""More than any zone is off UTC and any clock change skips, together."""


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One time of the week: the day (Monday is 0), the local time, and the name of its zone."""

    day: int
    at: time
    tz: str

    @property
    def clock(self) -> str:
        """Its time of day as people write it: `09:00`."""
        return clock_text(self.at)


def instants(slots: Collection[Slot], after: datetime) -> Iterator[datetime]:
    """The instants (UTC) that slots name, strictly after an aware instant: ascending, each once,
    up to the end of the calendar."""
    zones = {slot.tz for slot in slots}
    streams = [_in_zone([one for one in slots if one.tz == tz], tz, after) for tz in sorted(zones)]
    last = after.astimezone(UTC)
    for instant in merge(*streams):
        if instant > last:
            yield instant
            last = instant


def next_free(
    slots: Collection[Slot],
    after: datetime,
    taken: Collection[datetime],
    others: Sequence[datetime] = (),
    spacing: timedelta = timedelta(0),
) -> datetime | None:
    """The first instant after `after` that is not `taken` and keeps the distance from all of these
    and of the `others`; None where there is none."""
    from bisect import bisect_left

    near = sorted({*taken, *others}) if spacing else []
    for instant in instants(slots, after):
        if instant in taken:
            continue
        place = bisect_left(near, instant)
        beside = near[max(place - 1, 0) : place + 1]
        if all(abs(instant - one) >= spacing for one in beside):
            return instant
    return None


def _in_zone(slots: Sequence[Slot], tz: str, after: datetime) -> Iterator[datetime]:
    """The same for slots of one zone; instants may come twice, and from before `after`.

    A skipped time moves past later ones, so an instant is given out only once no day to come can
    hold an earlier one.
    """
    zone = zone_named(tz)
    waiting: list[datetime] = []
    day = _start(after)
    while slots and day <= _LAST:
        for slot in slots:
            if slot.day == day.weekday():
                heappush(waiting, resolve(datetime.combine(day, slot.at), zone)[0])
        day += timedelta(days=1)
        surely = datetime.combine(day, time.min, UTC) - _WIDEST
        while waiting and waiting[0] < surely:
            yield heappop(waiting)
    while waiting:
        yield heappop(waiting)


def _start(after: datetime) -> date:
    day = after.astimezone(UTC).date()
    return _FIRST if day < _FIRST + _WIDEST else day - _WIDEST
