"""What a series names beyond the rows that lead it, in the order of time.

Nothing of it is worked out before its turn has come, and no further than is asked for.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.errors import InvalidInput
from postsched.domain.firing import Firing
from postsched.domain.post import CatchUp
from postsched.domain.zones import ClockChange, resolve, zone_named
from postsched.store.firing_rows import Planned, text_of

if TYPE_CHECKING:
    from postsched.domain.recurrence import Occurrence
    from postsched.domain.schedule import Schedule

CROWD = 200
"""Occurrences of one series that are counted in one day; a minutely one has more."""
COUNTED = timedelta(days=400)
"""How far ahead occurrences are counted where the text depends on their number."""
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
class Leader:
    """The row that leads a series for one account. `due` gives when one of its occurrences is due,
    never before it (UTC); `reach` is how much later that may be. `taken` are the occurrences that
    have a row."""

    row: Planned
    due: Callable[[datetime], datetime]
    reach: timedelta
    taken: AbstractSet[datetime]

    @property
    def occurrence(self) -> datetime:
        """Its own."""
        return self.row.firing.occurrence

    def after(self, now: datetime) -> datetime:
        """After which instant the series goes on behind it. What has passed in between is not made
        up for, but where all that was missed is sent that is within its grace."""
        late = self.row.grace if self.row.catch_up is CatchUp.ALL else timedelta(0)
        if late is None or now - self.occurrence <= late + self.reach:
            return self.occurrence
        return now - late - self.reach

    @property
    def says_different_things(self) -> bool:
        """Whether its text has to be made for each occurrence."""
        content = self.row.content
        texts = [content.text, *content.variants.values()]
        return bool(content.texts) or any("{{" in text for text in texts)


@dataclass(frozen=True, slots=True)
class Series:
    """What a series names beyond the rows that lead it, one for each account."""

    leaders: Sequence[Leader]
    now: datetime

    @property
    def first(self) -> datetime:
        """Nothing of it fires before that instant."""
        return min(one.after(self.now) for one in self.leaders)

    def firings(self, start: datetime, crowd: Crowd | None = None) -> Iterator[Firing]:
        """All of them from `start` on, soonest first; lazily, and endless for an endless series."""
        after = self._counts_from(start)
        chains = [_Chain(one, self.now, numbered=after == self._base) for one in self.leaders]
        waiting: list[tuple[tuple[datetime, int, int], Firing]] = []
        for one in _occurrences(self.leaders[0].row.schedule, after, crowd):
            while waiting and waiting[0][1].due_at < one.instant:
                yield heapq.heappop(waiting)[1]
            crowded = crowd is not None and bool(crowd.full)
            for chain in chains:
                firing = chain.take(one, numbered=not crowded)
                if firing is not None and firing.due_at >= start:
                    heapq.heappush(waiting, (firing.order, firing))
        yield from (firing for _, firing in sorted(waiting, key=itemgetter(0)))

    @property
    def _base(self) -> datetime:
        return min(one.occurrence for one in self.leaders)

    def _counts_from(self, start: datetime) -> datetime:
        """After which instant occurrences are looked at: from the leader on, where that is near."""
        reach = max(one.reach for one in self.leaders) + MICROSECOND
        first = self.first
        goal = start - reach if start - first > reach else first
        numbered = any(one.says_different_things for one in self.leaders)
        near = COUNTED if numbered else timedelta(days=1)
        return self._base if goal - self._base <= near else goal


class _Chain:
    """A series to one account: counts the occurrences, and leaves out those that have a row."""

    def __init__(self, leader: Leader, now: datetime, *, numbered: bool) -> None:
        self._leader, self._after = leader, leader.after(now)
        self._not_before = None if leader.row.catch_up is CatchUp.ALL else now
        self._renders = leader.says_different_things
        self._number = leader.row.firing.number if numbered else None

    def take(self, one: Occurrence, *, numbered: bool) -> Firing | None:
        """The firing of the next occurrence, None if there is none of its own."""
        if one.instant <= self._leader.occurrence:
            return None
        self._number = self._number + 1 if self._number is not None and numbered else None
        if one.instant <= self._after or one.instant in self._leader.taken:
            return None
        firing = self._firing(one)
        passed = self._not_before is not None and firing.due_at <= self._not_before
        return None if passed else firing

    def _firing(self, one: Occurrence) -> Firing:
        """The firing of an occurrence that has no row yet."""
        leader = self._leader.row
        content, account = leader.content, leader.firing.account
        text = content.variants.get(account, content.text or next(iter(content.texts), ""))
        if self._renders and self._number is not None:
            text = text_of(content, account, self._number, one.instant, leader.schedule.tz)
        return replace(
            leader.firing,
            due_at=self._leader.due(one.instant),
            occurrence=one.instant,
            text=text,
            status=DeliveryStatus.SCHEDULED,
            delivery_id=None,
            number=self._number,
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
    try:
        zone = zone_named(schedule.tz)
    except InvalidInput:  # a zone that this system does not know: no time is shown in it
        return None
    around = [(instant + shift).astimezone(zone).utcoffset() for shift in (-NEAR, NEAR)]
    if around[0] == around[1]:
        return None
    if schedule.recurs:
        one = next(iter(_occurrences(schedule, instant - MICROSECOND, None)), None)
        return one.change if one is not None and one.instant == instant else None
    at = datetime.fromisoformat(schedule.at)
    meant, change = (instant, None) if at.tzinfo else resolve(at, zone)
    return change if meant == instant else None
