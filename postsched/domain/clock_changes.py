"""When the clocks of a zone change, and by how much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

STRIDE = timedelta(days=7)
"""No zone changes its clocks and changes them back in a shorter time."""
SECOND = timedelta(seconds=1)
NO_TIME = timedelta(0)


@dataclass(frozen=True, slots=True)
class Change:
    """The clocks of `zone` change at `instant` (UTC, to the second) from one offset to another."""

    instant: datetime
    zone: ZoneInfo

    @property
    def before(self) -> datetime:
        """What the clocks would show at that instant without it."""
        last = (self.instant - SECOND).astimezone(self.zone)
        return (last.replace(fold=0) + SECOND).replace(fold=last.fold)

    @property
    def after(self) -> datetime:
        """What they show instead."""
        return self.instant.astimezone(self.zone)

    @property
    def by(self) -> timedelta:
        """How far they are put forward; below zero: back."""
        earlier = (self.instant - SECOND).astimezone(self.zone).utcoffset()
        return (self.after.utcoffset() or NO_TIME) - (earlier or NO_TIME)


def clock_changes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[Change]:
    """The changes after `start` until `end` (aware), in order, lazily."""
    here, last = start.astimezone(UTC), end.astimezone(UTC)
    while here < last:
        there = min(here + STRIDE, last)
        if _offset(zone, here) != _offset(zone, there):
            yield Change(_first_of(zone, here, there), zone)
        here = there


def _first_of(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The first instant of whole seconds with the offset of `high`; `low` has another."""
    offset = _offset(zone, high)
    low = low.replace(microsecond=0)
    seconds = -((low - high) // SECOND)  # rounded up
    while seconds > 1:
        half = seconds // 2
        if _offset(zone, low + half * SECOND) == offset:
            seconds = half
        else:
            low, seconds = low + half * SECOND, seconds - half
    return low + SECOND


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta | None:
    return instant.astimezone(zone).utcoffset()
