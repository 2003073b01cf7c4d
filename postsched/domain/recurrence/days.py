"""The days that daily, weekly, monthly and yearly recurrences name, from any day on.

Each function yields ascending days from `start` (and from `first`), by arithmetic from `first`:
nothing is walked. The words of `on` are read here too: `mon`, `15`, `last`, `2tue`, `last-fri`,
`12-24`.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The words of `on` for weekly, Monday first."""
LAST_DAY = date(9998, 12, 31)
"""The last day that is named, so that no offset leads past the end of the calendar."""


@dataclass(frozen=True, slots=True)
class MonthDay:
    """A day of any month: the `nth` day, or the `nth` of a weekday (0 is Monday); -1 is the last.

    A day that a month lacks is its last day; a fifth weekday that it lacks is none."""

    nth: int
    weekday: int | None = None

    def within(self, year: int, month: int) -> int | None:
        """Its number in that month."""
        begins, length = monthrange(year, month)
        if self.weekday is None:
            return length if self.nth < 0 else min(self.nth, length)
        day = 1 + (self.weekday - begins) % 7
        if self.nth < 0:
            return day + (length - day) // 7 * 7
        day += 7 * (self.nth - 1)
        return day if day <= length else None


_MONTH_DAY = re.compile(
    r"(?:([1-9]|[12][0-9]|3[01])|(last)|([1-5]|last-)(mon|tue|wed|thu|fri|sat|sun))"
)
_YEAR_DAY = re.compile(r"([0-9]{2})-([0-9]{2})")


def month_day(word: str) -> MonthDay | None:
    """The day of a month that a word of `on` names; None for a word that names none."""
    match = _MONTH_DAY.fullmatch(word)
    if match is None:
        return None
    if match[4]:
        return MonthDay(-1 if match[3] == "last-" else int(match[3]), WEEKDAYS.index(match[4]))
    return MonthDay(int(match[1]) if match[1] else -1)


def year_day(word: str) -> tuple[int, int] | None:
    """The month and day that a word of `on` names (`12-24`); None for a word that names none."""
    match = _YEAR_DAY.fullmatch(word)
    if match is None:
        return None
    month, day = int(match[1]), int(match[2])
    in_leap_year = 1 <= month <= 12 and 1 <= day <= monthrange(2000, month)[1]
    return (month, day) if in_leap_year else None


def daily(first: date, every: int, start: date) -> Iterator[date]:
    """Every so many days from the first."""
    day = first.toordinal()
    day += _up_to_multiple(start.toordinal() - day, every)
    while day <= LAST_DAY.toordinal():
        yield date.fromordinal(day)
        day += every


def weekly(first: date, every: int, weekdays: Sequence[int], start: date) -> Iterator[date]:
    """Those weekdays (0 is Monday) of every so many weeks, which run from Monday to Sunday."""
    monday = first - timedelta(days=first.weekday())
    weeks = _up_to_multiple((max(start, first) - monday).days // 7, every)
    floor, day = max(start, first), monday.toordinal() + weeks * 7
    while day <= LAST_DAY.toordinal():
        for weekday in weekdays:
            if floor <= (named := date.fromordinal(day + weekday)) <= LAST_DAY:
                yield named
        day += every * 7


def monthly(first: date, every: int, days: Sequence[MonthDay], start: date) -> Iterator[date]:
    """Those days of every so many months."""
    floor = max(start, first)
    month = first.year * 12 + first.month - 1
    month += _up_to_multiple(floor.year * 12 + floor.month - 1 - month, every)
    while month // 12 <= LAST_DAY.year:
        year, number = month // 12, month % 12 + 1
        for day in sorted({day.within(year, number) or 0 for day in days} - {0}):
            if (named := date(year, number, day)) >= floor:
                yield named
        month += every


def yearly(first: date, every: int, days: Sequence[tuple[int, int]], start: date) -> Iterator[date]:
    """Those days (month, day) of every so many years; 29 February is the 28th in other years."""
    floor = max(start, first)
    year = first.year + _up_to_multiple(floor.year - first.year, every)
    while year <= LAST_DAY.year:
        for month, day in sorted({(m, min(d, monthrange(year, m)[1])) for m, d in days}):
            if (named := date(year, month, day)) >= floor:
                yield named
        year += every


def _up_to_multiple(distance: int, every: int) -> int:
    """The least multiple of `every` that is not below the distance, nor below 0."""
    return -(-max(distance, 0) // every) * every
