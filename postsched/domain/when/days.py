"""The day in a phrase: by its date, its weekday, its place in a month, or counted from another."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from postsched.domain.when.dates import calendar_date, check_suffix, coming, counted_date
from postsched.domain.when.moment import MONTHS, WEEKDAYS, NotUnderstood, day_text
from postsched.domain.when.words import MONTH, RANKS, WEEKDAY

_SHORT = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY = re.compile(rf"(?P<which>this |this coming |coming |next )?(?P<name>{WEEKDAY})")
_OF_WEEK = re.compile(
    rf"(?P<name>{WEEKDAY}) (?:of )?(?P<which>this|next) week"
    rf"|(?P<which2>this|next) week (?:on )?(?P<name2>{WEEKDAY})"
)
_IN_MONTH = (
    r"(?: (?:of|in)(?: the)? (?:(?P<which>this |next |)month"
    rf"|(?P<month>{MONTH})(?: (?P<year>[0-9]{{4}}))?))"
)
_RANKED = re.compile(
    rf"(?P<rank>{'|'.join(RANKS)}|last|[1-5](?:st|nd|rd|th)) (?P<name>{WEEKDAY}|day){_IN_MONTH}"
)
_NUMBERED = re.compile(
    r"(?P<day>[0-9]{1,2})(?P<suffix>st|nd|rd|th)(?: of (?P<which>this |next |the )month)?"
)
_WITH_WEEKDAY = re.compile(rf"(?P<name>{WEEKDAY}) (?:the )?(?P<rest>.+)")
_FROM = re.compile(r"(?P<counted>.+) (?:from|after) (?P<start>.+)")


@dataclass(frozen=True, slots=True)
class Calendar:
    """The day it is, and whether the time of day on a date still lies ahead."""

    today: date
    comes: Callable[[date], bool]

    def next(self, days: int, step: int) -> date:
        """The day so many from today, or a step later if its time has passed."""
        day = self.today + timedelta(days=days)
        return day if self.comes(day) else day + timedelta(days=step)


def read_day(words: str, calendar: Calendar) -> date | None:
    """The day that the words name, whether past or to come; None if they name none.

    Raises NotUnderstood where two days may be meant, ValueError for one that doesn't exist.
    """
    if not words:
        return calendar.next(0, 1)
    words = words.removeprefix("on ").removeprefix("the ")
    for read in _READERS:
        day = read(words, calendar)
        if day is not None:
            return day
    return None


def _plain(words: str, calendar: Calendar) -> date | None:
    days = {"today": 0, "tomorrow": 1}.get(words)
    if days is not None:
        return calendar.today + timedelta(days=days)
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", words):
        return date.fromisoformat(words)
    return calendar_date(words, calendar.today)


def _weekday(words: str, calendar: Calendar) -> date | None:
    match = _WEEKDAY.fullmatch(words)
    if match is None:
        return None
    which, ahead = (match["which"] or "").strip(), _ahead(match["name"], calendar.today)
    if which == "next":
        return _agreed(
            words,
            calendar.today + timedelta(days=ahead or 7),
            *_of_next_week(match["name"], calendar),
        )
    if which and not ahead:
        if calendar.comes(calendar.today) and which == "this":
            return calendar.today
        raise _either(words, calendar.today, calendar.today + timedelta(days=7))
    return calendar.next(ahead, 7)


def _ahead(name: str, today: date) -> int:
    """How many days the next of that weekday is ahead, today being 0."""
    return (_SHORT.index(name[:3]) - today.weekday()) % 7


def _of_next_week(name: str, calendar: Calendar, weeks: int = 1) -> tuple[date, date]:
    """The weekday of a week to come, weeks beginning on Monday and on Sunday."""
    n, today = _SHORT.index(name[:3]), calendar.today
    monday = today - timedelta(days=today.weekday()) + timedelta(weeks=weeks)
    sunday = today - timedelta(days=(today.weekday() + 1) % 7) + timedelta(weeks=weeks)
    return monday + timedelta(days=n), sunday + timedelta(days=(n + 1) % 7)


def _agreed(words: str, *days: date) -> date:
    """The day that all readings give; raises NotUnderstood if they differ."""
    if len(set(days)) > 1:
        raise _either(words, *sorted(set(days)))
    return days[0]


def _either(words: str, *days: date) -> NotUnderstood:
    said = " or ".join(day_text(day) for day in days)
    return NotUnderstood(
        f"{words!r} may be {said}", f"Write the date, such as {days[-1].isoformat()}"
    )


def _of_week(words: str, calendar: Calendar) -> date | None:
    match = _OF_WEEK.fullmatch(words)
    if match is None:
        return None
    weeks = 1 if (match["which"] or match["which2"]) == "next" else 0
    return _agreed(words, *_of_next_week(match["name"] or match["name2"], calendar, weeks))


def _ranked(words: str, calendar: Calendar) -> date | None:
    """The first monday of december, the last day of the month."""
    match = _RANKED.fullmatch(words)
    if match is None:
        return None
    rank = match["rank"]
    if rank[0].isdigit():
        check_suffix(int(rank[0]), rank[1:])
    n = 0 if rank == "last" else int(rank[0]) if rank[0].isdigit() else RANKS.index(rank) + 1
    if match["month"] and not match["year"]:
        this = _in_month(match["name"], n, *_month(match, calendar.today))
        if this < calendar.today:
            this = _in_month(match["name"], n, this.year + 1, this.month)
        return coming(this, calendar.today)
    return _in_month(match["name"], n, *_month(match, calendar.today))


def _month(match: re.Match[str], today: date) -> tuple[int, int]:
    """The year and month that are named, without a year in this one."""
    if match["month"]:
        month = [name.lower() for name in MONTHS].index(match["month"][:3]) + 1
        return int(match["year"] or today.year), month
    return _months_on(today, 1 if match["which"] == "next " else 0)


def _months_on(today: date, months: int) -> tuple[int, int]:
    total = today.year * 12 + today.month - 1 + months
    return total // 12, total % 12 + 1


def _in_month(name: str, n: int, year: int, month: int) -> date:
    """The nth weekday or day of a month, the last for 0; raises ValueError if it has none."""
    length = monthrange(year, month)[1]
    if name == "day":
        return date(year, month, n or length)
    if not n:
        last = date(year, month, length)
        return last - timedelta(days=(last.weekday() - _SHORT.index(name[:3])) % 7)
    first = date(year, month, 1)
    return date(year, month, 1 + _ahead(name, first) + 7 * (n - 1))


def _numbered(words: str, calendar: Calendar) -> date | None:
    """The 27th: of this month, or of the next if it has passed."""
    match = _NUMBERED.fullmatch(words)
    if match is None:
        return None
    day, today = int(match["day"]), calendar.today
    check_suffix(day, match["suffix"])
    if match["which"]:
        return date(*_months_on(today, 1 if match["which"] == "next " else 0), day)
    return date(*_months_on(today, 0 if day >= today.day else 1), day)


def _with_weekday(words: str, calendar: Calendar) -> date | None:
    """A weekday and the date it falls on; raises NotUnderstood if it falls on another."""
    match = _WITH_WEEKDAY.fullmatch(words)
    readers = (_plain, _numbered)
    found = (read(match["rest"], calendar) for read in readers) if match else ()
    day = next((day for day in found if day is not None), None)
    if match is None or day is None:
        return None
    if _ahead(match["name"], day):
        said = f"{day.day} {MONTHS[day.month - 1]} {day.year} is a {WEEKDAYS[day.weekday()]}"
        raise NotUnderstood(f"{match['name']!r}, and {said}", "Correct the one or the other")
    return day


def _counted(words: str, calendar: Calendar) -> date | None:
    """In 3 days, two weeks from tomorrow, a week from friday, the day after tomorrow."""
    if words == "day after tomorrow":
        words = "1 day after tomorrow"
    match = _FROM.fullmatch(words)
    if match is None:
        return counted_date(words, calendar.today) if words.startswith("in ") else None
    start = _start(match["start"], calendar)
    return None if start is None else counted_date(match["counted"].removeprefix("in "), start)


def _start(words: str, calendar: Calendar) -> date | None:
    """The day from which others are counted."""
    words = "today" if words == "now" else words.removeprefix("the ")
    if words == "day after tomorrow":
        return calendar.today + timedelta(days=2)
    if re.fullmatch(WEEKDAY, words) and not _ahead(words, calendar.today):
        raise _either(words, calendar.today, calendar.today + timedelta(days=7))
    for read in (_plain, _weekday):
        day = read(words, calendar)
        if day is not None:
            return day
    return None


_READERS = (_plain, _weekday, _of_week, _ranked, _numbered, _with_weekday, _counted)
