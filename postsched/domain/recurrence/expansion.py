"""The local times that an RFC 5545 rule names, from any time on, without walking there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property, lru_cache
from heapq import merge
from itertools import islice
from zoneinfo import ZoneInfo

from postsched.domain.recurrence.clockwork import Clockwork, daily
from postsched.domain.recurrence.days import LAST_DAY
from postsched.domain.recurrence.periods import periods
from postsched.domain.recurrence.rule import Rule, Stamp

_SEARCHED = 100
"""After how many years without a time a rule has ended. The rarest day, a certain weekday on 29
February, comes every 40 years at least."""
_SECOND = timedelta(seconds=1)
_END = datetime.combine(LAST_DAY, time.max)


@dataclass(frozen=True)
class Expansion:
    """The pattern of a rule that begins at `first` (local). `literal`: whether `first` is named
    even if it does not match, as DTSTART is; else only what matches."""

    rule: Rule
    first: datetime
    zone: ZoneInfo
    literal: bool = True

    @property
    def by_clock(self) -> bool:
        """See Pattern."""
        return self.rule.by_clock

    @property
    def endless(self) -> bool:
        """See Pattern."""
        return self.rule.count is None and self.rule.until is None

    def times(self, start: datetime) -> Iterator[datetime]:
        """See Pattern."""
        last = None
        end = _counted_end(self) if self.rule.count else self._end
        for one in merge(self._ruled(start, end), self._extra(start)):
            if one != last:
                last = one
                yield one

    @cached_property
    def _end(self) -> datetime:
        return _until(self.rule.until, self.zone)

    def _extra(self, start: datetime) -> list[datetime]:
        """The times of RDATE; of a day, at the time of day of the first."""
        times = (
            datetime.combine(one.time.date(), self.first.time())
            if one.day
            else one.local(self.zone)
            for one in self.rule.extra
        )
        return sorted(one for one in times if one >= start)

    def _ruled(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """What the rule itself names, the first too."""
        if self.literal and start <= self.first <= end:
            yield self.first
        start = max(start, self.first + _SECOND if self.literal else self.first)
        while start <= end:
            found, horizon = None, min(_years_on(start), end)
            for found in self._within(start, horizon):
                yield found
            if found is None:
                return
            start = max(horizon, found) + _SECOND

    def _within(self, start: datetime, end: datetime) -> Iterator[datetime]:
        if self.rule.by_clock:
            return Clockwork(self.rule, self.first).times(start, end)
        within = daily if self.rule.freq == "DAILY" else periods
        return within(self.rule, self.first, start, end)


@lru_cache(maxsize=128)
def _counted_end(expansion: Expansion) -> datetime:
    """The last of its COUNT, or its UNTIL."""
    assert expansion.rule.count is not None
    named = islice(expansion._ruled(expansion.first, expansion._end), expansion.rule.count)
    last = deque(named, 1)
    return last[0] if last else expansion.first


def _until(stamp: Stamp | None, zone: ZoneInfo) -> datetime:
    if stamp is None:
        return _END
    return datetime.combine(stamp.time, time.max) if stamp.day else stamp.local(zone)


def _years_on(start: datetime) -> datetime:
    year = start.year + _SEARCHED
    return _END if year > LAST_DAY.year else start.replace(year=year, day=min(start.day, 28))
