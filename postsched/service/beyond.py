"""What a series names beyond the rows that lead it, in the order of time.

Nothing of it is worked out before its turn has come, and no further than is asked for.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.firing import Firing
from postsched.domain.post import CatchUp
from postsched.domain.zones import ClockChange, resolve, zone_named
from postsched.store.firing_rows import Planned, said

if TYPE_CHECKING:
    from postsched.domain.recurrence import Occurrence
    from postsched.domain.schedule import Schedule

CROWD = 200
"""Occurrences of one series that are counted in one day; a minutely one has more."""
COUNTED = timedelta(days=400)
"""How far ahead occurrences are counted to tell which of several texts has its turn."""
MICROSECOND = timedelta(microseconds=1)
NEAR = timedelta(hours=26)
"""A clock change further away does nothing to a time."""


@dataclass(slots=True)
class Crowd:
    """Lets no more than CROWD occurrences of a day pass: where it returns an instant, the rest of
    the day before it is left out. `full` are the days of which there were more."""

    begin: datetime
    ends: Sequence[datetime]
    full: set[int] = field(default_factory=set)
    _day: int = 0
    _seen: int = 0

    def skip_to(self, instant: datetime) -> datetime | None:
        """Count an occurrence; those before `begin` do not matter."""
        if instant < self.begin:
            return None
        while self._day < len(self.ends) and instant >= self.ends[self._day]:
            self._day, self._seen = self._day + 1, 0
        if self._day == len(self.ends):
            return None
        self._seen += 1
        if self._seen <= CROWD:
            return None
        self.full.add(self._day)
        return self.ends[self._day]


@dataclass(frozen=True, slots=True)
class Series:
    """What a series names beyond the rows that lead it, one for each account. `taken` are the
    occurrences that have a row, by post and account."""

    leaders: Sequence[Planned]
    taken: Mapping[tuple[int, int], AbstractSet[datetime]]
    now: datetime

    @property
    def first(self) -> datetime:
        """Nothing of it fires before that instant."""
        return min(_after(one, self.now) for one in self.leaders)

    def firings(self, start: datetime, crowd: Crowd | None = None) -> Iterator[Firing]:
        """All of them from `start` on, soonest first; lazily, and endless for an endless series."""
        after = self._counts_from(start)
        chains = [_Chain(one, self, numbered=after == self._base) for one in self.leaders]
        for one in _occurrences(self.leaders[0].schedule, after, crowd):
            crowded = crowd is not None and bool(crowd.full)
            named = [chain.take(one, numbered=not crowded) for chain in chains]
            firings = (firing for firing in named if firing is not None)
            if one.instant >= start:
                yield from sorted(firings, key=attrgetter("order"))

    @property
    def _base(self) -> datetime:
        return min(one.firing.occurrence for one in self.leaders)

    def _counts_from(self, start: datetime) -> datetime:
        """After which instant occurrences are looked at: from the leader on, where that is near."""
        goal = max(self.first, start - MICROSECOND)
        near = COUNTED if self.leaders[0].texts else timedelta(days=1)
        return self._base if goal - self._base <= near else goal


class _Chain:
    """A series to one account: counts the occurrences, and leaves out those that have a row."""

    def __init__(self, leader: Planned, series: Series, *, numbered: bool) -> None:
        firing = leader.firing
        self._leader = leader
        self._after = _after(leader, series.now)
        self._taken = series.taken.get((firing.post_id, firing.account_id), frozenset())
        self._number = firing.number if numbered else None

    def take(self, one: Occurrence, *, numbered: bool) -> Firing | None:
        """The firing of the next occurrence, None if there is none of its own."""
        if one.instant <= self._leader.firing.occurrence:
            return None
        self._number = self._number + 1 if self._number is not None and numbered else None
        if one.instant <= self._after or one.instant in self._taken:
            return None
        return _named(self._leader, one, self._number)


def _after(leader: Planned, now: datetime) -> datetime:
    """After which instant a series goes on behind its leader. What has passed in between is not
    made up for, but where all that was missed is sent that is within its grace."""
    occurrence = leader.firing.occurrence
    if leader.catch_up is not CatchUp.ALL:
        return max(occurrence, now)
    return occurrence if leader.grace is None else max(occurrence, now - leader.grace)


def _named(leader: Planned, one: Occurrence, number: int | None) -> Firing:
    """The firing of an occurrence that has no row yet."""
    return replace(
        leader.firing,
        due_at=one.instant,
        occurrence=one.instant,
        text=said(leader.written, leader.texts, number),
        status=DeliveryStatus.SCHEDULED,
        delivery_id=None,
        number=number,
        moved=False,
        reworded=False,
        change=one.change,
    )


def _occurrences(schedule: Schedule, after: datetime, crowd: Crowd | None) -> Iterator[Occurrence]:
    from postsched.domain.recurrence import occurrences

    while True:
        skipped = None
        for one in occurrences(schedule, after):
            if crowd and (skipped := crowd.skip_to(one.instant)):
                break
            yield one
        if skipped is None:
            return
        after = skipped - MICROSECOND


def in_turn(streams: Iterable[tuple[datetime, Iterator[Firing]]]) -> Iterator[Firing]:
    """The streams merged by time; each is begun only when its turn may have come."""
    waiting: list[tuple[tuple[datetime, int, int], int, Firing | None, Iterator[Firing]]]
    waiting = [((first, -1, -1), n, None, stream) for n, (first, stream) in enumerate(streams)]
    heapq.heapify(waiting)
    while waiting:
        _, number, firing, stream = heapq.heappop(waiting)
        if firing is not None:
            yield firing
        if (following := next(stream, None)) is not None:
            heapq.heappush(waiting, (following.order, number, following, stream))


def change_of(schedule: Schedule, instant: datetime) -> ClockChange | None:
    """What a clock change did to the local time that an occurrence was meant to be at."""
    if schedule.at is None:
        return None
    zone = zone_named(schedule.tz)
    around = [(instant + shift).astimezone(zone).utcoffset() for shift in (-NEAR, NEAR)]
    if around[0] == around[1]:
        return None
    if schedule.recurs:
        one = next(iter(_occurrences(schedule, instant - MICROSECOND, None)), None)
        return one.change if one is not None and one.instant == instant else None
    at = datetime.fromisoformat(schedule.at)
    return None if at.tzinfo else resolve(at, zone)[1]
