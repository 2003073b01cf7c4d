"""Occurrences: the instants that local times become, in order and each once.

A local time that a clock change skips moves forward by the gap, one that it repeats means the
first. What runs by the clock's hours instead (`by_clock`) leaves the skipped ones out and takes
both of the repeated ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from zoneinfo import ZoneInfo

from postsched.domain.zones import ClockChange, resolve

_VICINITY = timedelta(hours=26)
"""More than any clock change moves the clocks: 24 hours, where a zone changed its date. Changes of
one zone lie further apart than twice this."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An instant (aware, UTC), the naive local time that was meant, and what a clock change made
    of it: SKIPPED (moved forward by the gap), REPEATED (the first is taken) or None."""

    instant: datetime
    local: datetime
    change: ClockChange | None = None


def occurrence(local: datetime, zone: ZoneInfo) -> Occurrence:
    """The occurrence of a naive local time. Raises OverflowError at the ends of the calendar."""
    offset = _steady_offset(local, zone)
    if offset is not None:
        return Occurrence((local - offset).replace(tzinfo=UTC), local)
    instant, change = resolve(local, zone)
    return Occurrence(instant, local, change)


def in_order(
    times: Iterable[datetime], zone: ZoneInfo, *, by_clock: bool = False
) -> Iterator[Occurrence]:
    """The occurrences of ascending local times, ascending by instant, no instant twice; lazily."""
    last = datetime.min.replace(tzinfo=UTC)
    for one in _merged(times, zone, by_clock):
        if one.instant > last:
            last = one.instant
            yield one


def where_to_begin(after: datetime, zone: ZoneInfo) -> datetime:
    """A local time from which on every local time is read that may become an instant after `after`
    (UTC): that of `after` itself, but near a clock change."""
    local = after.astimezone(zone).replace(tzinfo=None)
    return local - (_VICINITY if _steady_offset(local, zone) is None else timedelta(0))


def written(one: Occurrence, zone: ZoneInfo) -> str:
    """The local time as it is kept: with an offset only where it means another instant without."""
    if occurrence(one.local, zone).instant == one.instant:
        return one.local.isoformat()
    return one.instant.astimezone(zone).isoformat()


def read(text: str, zone: ZoneInfo) -> Occurrence:
    """What `written` wrote; or any ISO 8601 time, local or with an offset."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        return occurrence(time, zone)
    return Occurrence(time.astimezone(UTC), time.astimezone(zone).replace(tzinfo=None))


def _steady_offset(local: datetime, zone: ZoneInfo) -> timedelta | None:
    """The offset of the zone, if no clock change is near: a third of the time of `resolve`."""
    before = zone.utcoffset(local - _VICINITY)
    return before if before == zone.utcoffset(local + _VICINITY) else None


def _merged(times: Iterable[datetime], zone: ZoneInfo, by_clock: bool) -> Iterator[Occurrence]:
    """All occurrences; those that a change moved or repeated wait until it is their turn."""
    waiting: list[tuple[datetime, datetime]] = []
    for local in times:
        one = occurrence(local, zone)
        if one.change is ClockChange.SKIPPED:
            if not by_clock:
                heappush(waiting, (one.instant, local))
            continue
        while waiting and waiting[0][0] < one.instant:
            yield _waited(heappop(waiting), by_clock)
        yield Occurrence(one.instant, local) if by_clock else one
        if by_clock and one.change is ClockChange.REPEATED:
            again = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
            heappush(waiting, (again, local))
    while waiting:
        yield _waited(heappop(waiting), by_clock)


def _waited(one: tuple[datetime, datetime], by_clock: bool) -> Occurrence:
    return Occurrence(*one, None if by_clock else ClockChange.SKIPPED)
