"""The month or week that a person names."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from postsched.domain.errors import InvalidInput

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December")  # fmt: skip
SHORTEST = 3
"""Letters of a month's name that are enough."""
RELATIVE = {"last": -1, "previous": -1, "this": 0, "next": 1}
MONTH_HINT = "Give one like 2026-12, dec, december 2026 or next"
DAY_HINT = "Give one like 2026-12-24, next or last"
WEEK = 7
EARLIEST, LATEST = 2, 9990
"""Years with room on either side."""


@dataclass(frozen=True, slots=True)
class Span:
    """So many days from the first one on."""

    first: date
    count: int

    @property
    def title(self) -> str:
        """`December 2026`, or `23 to 29 Nov 2026`."""
        if self.count != WEEK:
            return f"{MONTHS[self.first.month - 1]} {self.first.year}"
        last = self.first + timedelta(days=self.count - 1)
        start = str(self.first.day)
        if last.month != self.first.month:
            start += f" {MONTHS[self.first.month - 1][:3]}"
        if last.year != self.first.year:
            start += f" {self.first.year}"
        return f"{start} to {last.day} {MONTHS[last.month - 1][:3]} {last.year}"


def month_span(text: str, today: date) -> Span:
    """The month of those words; without words, this one. A name without a year is the next such
    month, this one included. Raises InvalidInput."""
    word = " ".join(text.lower().replace(",", " ").split()).removesuffix(" month")
    year, month = _month(word or "this", text, today)
    if not EARLIEST <= year <= LATEST:
        raise InvalidInput(f"there is no month {text[:40]!r} here", MONTH_HINT)
    return Span(date(year, month, 1), monthrange(year, month)[1])


def week_span(text: str, today: date) -> Span:
    """The week, Monday to Sunday, with that day; without words, this one. Raises InvalidInput."""
    word = " ".join(text.lower().split()).removesuffix(" week") or "this"
    day = today + timedelta(weeks=RELATIVE[word]) if word in RELATIVE else _day(word, text)
    return Span(day - timedelta(days=day.weekday()), WEEK)


def _month(word: str, text: str, today: date) -> tuple[int, int]:
    if word in RELATIVE:
        years, month = divmod(today.month - 1 + RELATIVE[word], 12)
        return today.year + years, month + 1
    if found := re.fullmatch(r"([0-9]{4})-([0-9]{1,2})", word):
        year, month = int(found[1]), int(found[2])
        if not 1 <= month <= 12:
            raise InvalidInput(f"there is no month {month}: {text!r}", MONTH_HINT)
        return year, month
    if found := re.fullmatch(r"([a-z]+)\.?(?: ([0-9]{4}))?|([0-9]{4}) ([a-z]+)\.?", word):
        number, named = _named(found[1] or found[4]), found[2] or found[3]
        if number:
            return int(named) if named else today.year + (number < today.month), number
    raise InvalidInput(f"{text[:40]!r} is no month", MONTH_HINT)


def _named(word: str) -> int:
    """The number of a month by its name or the beginning of it, 0 if there is none."""
    if len(word) < SHORTEST:
        return 0
    fitting = [n for n, name in enumerate(MONTHS, 1) if name.lower().startswith(word)]
    return 9 if word == "sept" else fitting[0] if len(fitting) == 1 else 0


def _day(word: str, text: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", word):
        raise InvalidInput(f"{text[:40]!r} is no day", DAY_HINT)
    try:
        day = date.fromisoformat(word)
    except ValueError:
        raise InvalidInput(f"there is no such day as {word}", DAY_HINT) from None
    if not EARLIEST <= day.year <= LATEST:
        raise InvalidInput(f"there is no week of {word} here", DAY_HINT)
    return day
