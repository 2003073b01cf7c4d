"""What a rule of days, hours, minutes or seconds names, worked out by arithmetic.

python-dateutil would step through every unit that a BY part leaves out, years of them. Here days
are judged as such, and the times of a day are taken from the stretches that the BY parts leave.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import product
from math import gcd
from typing import TypeVar

from postsched.domain.recurrence.days import LAST_DAY
from postsched.domain.recurrence.rule import Rule
from postsched.domain.recurrence.sieve import sieve

_DAY = 86_400
_UNITS = {"HOURLY": 3600, "MINUTELY": 60, "SECONDLY": 1}
_SECOND = timedelta(seconds=1)
T = TypeVar("T")
"""What BYSETPOS picks of."""


def daily(rule: Rule, first: datetime, start: datetime, end: datetime) -> Iterator[datetime]:
    """What a rule of days names between two times, both included."""
    fits = sieve(rule)
    by = rule.by
    hours, minutes = by.get("BYHOUR", (first.hour,)), by.get("BYMINUTE", (first.minute,))
    clock = product(hours, minutes, by.get("BYSECOND", (first.second,)))
    times = _picked([time(hour, minute, second) for hour, minute, second in clock], rule)
    day = first.toordinal()
    day += max(start.toordinal() - day, 0) // rule.interval * rule.interval
    while times and day <= end.toordinal():
        if fits(named := date.fromordinal(day)):
            for at in times:
                if start <= (one := datetime.combine(named, at)) <= end:
                    yield one
        day += rule.interval


class Clockwork:
    """A rule of hours, minutes or seconds: every so many of them from the first, where its BY
    parts let it."""

    def __init__(self, rule: Rule, first: datetime) -> None:
        self._unit = _UNITS[rule.freq]
        self._step = self._unit * rule.interval
        self._hours = rule.by.get("BYHOUR")
        self._minutes = rule.by.get("BYMINUTE") if self._unit <= 60 else None
        self._seconds = rule.by.get("BYSECOND") if self._unit == 1 else None
        self._fits = sieve(rule)
        self._within_unit = _within_unit(rule, first)
        into_unit = first.second + (first.minute * 60 if self._unit > 60 else 0)
        begun = first.replace(microsecond=0)
        self._first = begun - timedelta(seconds=into_unit if self._unit > 1 else 0)

    def times(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The times between two times, both included."""
        if not self._within_unit or not self._ever():
            return
        units = self._leaps if self._step > _DAY else self._days
        for unit in units(start, end):
            for second in self._within_unit:
                if start <= (one := unit + timedelta(seconds=second)) <= end:
                    yield one

    def _ever(self) -> bool:
        """Whether any unit of a day is reached that the BY parts leave: the steps reach, over the
        days, all that differ from the first by a multiple of what they share with a day."""
        shared = gcd(self._step, _DAY)
        begun = (self._first - datetime.combine(self._first, time.min)) // _SECOND
        return any(begin + (begun - begin) % shared < stop for begin, stop in self._stretches())

    def _leaps(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The units, where they are more than a day apart: each is judged."""
        steps = max((start - self._first) // _SECOND, 0) // self._step
        last = min(end, datetime.combine(LAST_DAY, time.max))
        most = (last - self._first) // _SECOND // self._step
        for step in range(steps, most + 1):
            one = self._first + timedelta(seconds=step * self._step)
            if (
                (self._hours is None or one.hour in self._hours)
                and (self._minutes is None or one.minute in self._minutes)
                and (self._seconds is None or one.second in self._seconds)
                and self._fits(one)
            ):
                yield one

    def _days(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The units, where there is one on each day or more."""
        floor = start.hour * 3600 + start.minute * 60 + start.second
        floor = floor // self._unit * self._unit
        for ordinal in range(start.toordinal(), end.toordinal() + 1):
            if self._fits(named := date.fromordinal(ordinal)):
                day = datetime.combine(named, time.min)
                for second in self._seconds_of(day, floor):
                    yield day + timedelta(seconds=second)
            floor = 0

    def _seconds_of(self, day: datetime, floor: int) -> Iterator[int]:
        """The units of a day by the seconds into it, from `floor` on."""
        origin = (self._first - day) // _SECOND
        for begin, stop in self._stretches():
            if stop > floor:
                begin = max(begin, floor)
                yield from range(begin + (origin - begin) % self._step, stop, self._step)

    def _stretches(self) -> Iterator[tuple[int, int]]:
        """The stretches of a day, in seconds, that the BY parts leave; ascending."""
        hours = self._hours or range(24)
        if self._seconds:
            for hour, minute, second in product(hours, self._minutes or range(60), self._seconds):
                yield (at := hour * 3600 + minute * 60 + second), at + 1
        elif self._minutes:
            for hour, minute in product(hours, self._minutes):
                yield (at := hour * 3600 + minute * 60), at + 60
        else:
            for hour in hours:
                yield hour * 3600, hour * 3600 + 3600


def _within_unit(rule: Rule, first: datetime) -> list[int]:
    """The seconds within an hour, or a minute, that are named in each."""
    minutes = rule.by.get("BYMINUTE", (first.minute,)) if rule.freq == "HOURLY" else (0,)
    seconds = rule.by.get("BYSECOND", (first.second,)) if rule.freq != "SECONDLY" else (0,)
    return _picked([minute * 60 + second for minute, second in product(minutes, seconds)], rule)


def _picked(named: list[T], rule: Rule) -> list[T]:
    """Those that BYSETPOS picks."""
    positions = rule.by.get("BYSETPOS")
    if positions is None:
        return named
    size = len(named)
    places = {n - 1 if n > 0 else size + n for n in positions if abs(n) <= size}
    return [named[place] for place in sorted(places)]
