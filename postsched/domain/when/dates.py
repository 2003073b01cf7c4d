"""Dates with a month's name, and days counted from another, as the library dateparser reads them.

The library guesses: it leaves out words, takes "2 weeks from today" for two weeks ago and a wrong
weekday for a slip. So it is caged: it gets only phrases of a shape that is known as a whole, about
a day that is fixed, and its answer counts only if every number and name of the phrase is in it.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from postsched.domain.when.moment import MONTHS, NotUnderstood, day_text
from postsched.domain.when.words import MONTH, UNIT

if TYPE_CHECKING:
    from dateparser.date import DateDataParser

_FURTHEST = timedelta(days=300)
"""What a date without a year is taken for the next; beyond it was rather meant to be past."""

_DAY = r"(?P<day>[0-9]{1,2})(?P<suffix>st|nd|rd|th)?"
_YEAR = r"(?P<year>[0-9]{4})"
_CALENDAR = tuple(
    re.compile(shape)
    for shape in (
        rf"{_DAY}(?P<gap> of | |-)(?P<month>{MONTH})(?:(?:(?<=-.{{3}})-| ){_YEAR})?",
        rf"(?P<month>{MONTH}) (?:the )?{_DAY}(?: {_YEAR})?",
        rf"{_YEAR} (?P<month>{MONTH}) {_DAY}",
    )
)
_AMOUNT = rf"(?:an?|[0-9]{{1,4}}) {UNIT}"
_COUNTED = re.compile(rf"(?:in )?{_AMOUNT}(?: (?:and )?{_AMOUNT})*")
_ONE_AMOUNT = re.compile(rf"(an?|[0-9]{{1,4}}) ({UNIT})")
_DAYS = {"d": 1, "day": 1, "w": 7, "week": 7, "fortnight": 14}
_MONTHS = {"month": 1, "year": 12}


def calendar_date(words: str, today: date) -> date | None:
    """The date that words such as "27th of november 2026" name; without a year the next one, if
    it isn't nearly a year away. None if they are no date.

    Raises NotUnderstood where it isn't certain, ValueError for a date that no calendar has.
    """
    match = next((one for shape in _CALENDAR if (one := shape.fullmatch(words))), None)
    if match is None:
        return None
    month = [name.lower() for name in MONTHS].index(match["month"][:3]) + 1
    day, year = int(match["day"]), match["year"]
    check_suffix(day, match["suffix"])
    if not 1 <= day <= monthrange(int(year or 2000), month)[1]:
        raise ValueError
    plain = f"{day} {match['month']} {year or ''}".strip()
    found = _library(plain, today - timedelta(days=1))  # the library's future begins the day after
    if found is None or (found.day, found.month) != (day, month):
        raise NotUnderstood(repr(words))
    if year is None:
        return coming(found, today)
    if found.year != int(year):
        raise NotUnderstood(repr(words))
    return found


def check_suffix(day: int, suffix: str | None) -> None:
    """Raises NotUnderstood for 1th, 22th and the like: one of the two is a slip."""
    right = "th" if day % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    if suffix and suffix != right:
        raise NotUnderstood(f"'{day}{suffix}'", f"Did you mean {day}{right}?")


def coming(found: date, today: date) -> date:
    """That date, named without its year; raises NotUnderstood if it is nearly a year away."""
    if not today <= found <= today + _FURTHEST:
        raise NotUnderstood(
            f"the next one is {day_text(found)}", f"If that is meant, write {found.isoformat()}"
        )
    return found


def counted_date(words: str, start: date) -> date | None:
    """The day that lies "in 2 weeks" or "2 months" from `start`, None if the words say no such.

    Raises NotUnderstood for a month that has no such day, or what isn't a number of whole days.
    """
    if not _COUNTED.fullmatch(words):
        return None
    amounts = _ONE_AMOUNT.findall(words)
    days = months = 0
    for count, unit in amounts:
        n, name = (1 if count.startswith("a") else int(count)), unit.removesuffix("s") or unit
        if name not in _DAYS and name not in _MONTHS:
            raise NotUnderstood(f"'{count} {unit}'", "Count hours from now, without a time of day")
        days, months = days + n * _DAYS.get(name, 0), months + n * _MONTHS.get(name, 0)
    if days and months:
        raise NotUnderstood(repr(words), "Count in months or in days")
    plain = " ".join(f"{1 if n.startswith('a') else n} {unit}" for n, unit in amounts)
    found = _library(f"in {plain}", start)
    if found is None or not _is_ahead(found, start, days, months):
        raise NotUnderstood(f"{words!r} after {day_text(start)}")
    return found


def _is_ahead(found: date, start: date, days: int, months: int) -> bool:
    """Whether the day is that far ahead, to the same day of the month if months are counted."""
    if not months:
        return (found - start).days == days
    passed = (found.year - start.year) * 12 + found.month - start.month
    return passed == months and found.day == start.day


def _library(words: str, today: date) -> date | None:
    """What dateparser makes of the words on that day; it is never asked twice, nor trusted."""
    parser = _parser(today)
    try:
        found = parser.get_date_data(words).date_obj
    except Exception:  # noqa: BLE001 - it guesses, and may fail at that in any way
        return None
    return found.date() if found else None


@lru_cache(maxsize=8)
def _parser(today: date) -> DateDataParser:
    from dateparser.date import DateDataParser

    settings = {
        "RELATIVE_BASE": datetime(today.year, today.month, today.day, tzinfo=UTC),
        "TIMEZONE": "UTC",  # else the library looks for the system's, and fails if that is odd
        "RETURN_AS_TIMEZONE_AWARE": False,
        "PREFER_DATES_FROM": "future",
        "DATE_ORDER": "DMY",
        "REQUIRE_PARTS": ["day", "month"],
        "PARSERS": ["relative-time", "absolute-time"],  # no timestamps, no digits run together
    }
    return DateDataParser(languages=["en"], settings=settings)
