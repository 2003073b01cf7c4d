"""Patterns: the local times that a recurrence names, from any time on, before bounds are set.

What all kinds but RRULE share is days times the times of day.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial
from typing import Any, Protocol

from postsched.domain.recurrence import days
from postsched.domain.schedule import DAILY, MONTHLY, WEEKLY, Schedule


class Pattern(Protocol):
    """What names local times."""

    @property
    def first(self) -> datetime | None:
        """The time that begins it, whether the rest names it or not; None if nothing does."""

    @property
    def by_clock(self) -> bool:
        """Whether it runs by the clock's hours, see `occurrence`."""

    @property
    def endless(self) -> bool:
        """Whether it has no end of its own."""

    def times(self, start: datetime) -> Iterator[datetime]:
        """The local times from `start` on, ascending."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days, from any day on, at the same times of day; `first` begins it, named or not."""

    days: Callable[[date], Iterator[date]]
    clock: Sequence[time]
    first: datetime | None = None
    by_clock: bool = False
    endless: bool = True

    def times(self, start: datetime) -> Iterator[datetime]:
        """See Pattern."""
        if self.first is not None and self.first >= start:
            yield self.first
        if self.first is not None and self.first > start:
            start = self.first
        for local in self._named(start):
            if local != self.first:
                yield local

    def _named(self, start: datetime) -> Iterator[datetime]:
        begun = bisect_left(self.clock, start.time())
        for day in self.days(start.date()):
            for clock in self.clock[begun if day == start.date() else 0 :]:
                yield datetime.combine(day, clock)


def calendar(schedule: Schedule, first: datetime) -> Calendar:
    """The pattern of a daily, weekly, monthly or yearly schedule that begins at `first`."""
    rule = schedule.rule
    clock = [time.fromisoformat(text) for text in rule.get("times") or ()]
    named = days_of(schedule.kind, first.date(), int(rule.get("every") or 1), rule.get("on") or ())
    return Calendar(named, clock or [first.time()], first)


def days_of(
    kind: str, first: date, every: int, on: Sequence[Any]
) -> Callable[[date], Iterator[date]]:
    """The days of those words of `on`; without any, those of the first day's kind."""
    if kind == DAILY:
        return partial(days.daily, first, every)
    if kind == WEEKLY:
        weekdays = sorted(days.WEEKDAYS.index(word) for word in on) or [first.weekday()]
        return partial(days.weekly, first, every, weekdays)
    if kind == MONTHLY:
        month_days = [one for word in on if (one := days.month_day(word))]
        return partial(days.monthly, first, every, month_days or [days.MonthDay(first.day)])
    year_days = [day for word in on if (day := days.year_day(word))]
    return partial(days.yearly, first, every, year_days or [(first.month, first.day)])
