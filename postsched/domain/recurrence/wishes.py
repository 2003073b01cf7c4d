"""Wishes: what a person said of a schedule, and reading each word of it.

Every reading refuses what it does not understand as a whole, with the name of its field.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from postsched.domain.errors import InvalidInput
from postsched.domain.recurrence.days import LAST_DAY, WEEKDAYS, month_day, year_day
from postsched.domain.schedule import DAILY, MONTHLY, WEEKLY
from postsched.domain.weekdays import weekday_range

MOST_EVERY = 10_000
MOST_COUNT = 100_000
_MOST_WORDS = 1_000
_MOST_TIMES = 100
_LONGEST_QUOTED = 60


@dataclass(frozen=True, slots=True)
class Wishes:
    """The words of a draft, all texts as the person wrote them; None and empty: not given."""

    at: str | None = None
    repeat: str | None = None
    every: int | None = None
    on: tuple[str, ...] = ()
    cron: str | None = None
    rrule: str | None = None
    except_: tuple[str, ...] = ()
    from_: str | None = None
    until: str | None = None
    count: int | None = None


def refused(field: str, message: str, hint: str) -> InvalidInput:
    """The error that names a field of the draft as what is at fault."""
    error = InvalidInput(message, hint)
    error.field = field
    return error


def quoted(text: str) -> str:
    """A text in an error: in quotes, cut where it is long."""
    return repr(text if len(text) <= _LONGEST_QUOTED else f"{text[:_LONGEST_QUOTED]}…")


_CLOCK = re.compile(
    r"(noon|midnight)|([0-9]{1,2})(?::([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?)?(?: ?(am|pm))?"
)


def clock_times(text: str) -> list[time] | None:
    """The times of day in a comma list (`09:00,17:30`, `9am`), sorted; None if it is none."""
    found = [_clock_time(" ".join(part.lower().split())) for part in text.split(",")]
    times = sorted({one for one in found if one is not None})
    return times if None not in found and len(times) <= _MOST_TIMES else None


def _clock_time(text: str) -> time | None:
    match = _CLOCK.fullmatch(text)
    if match is None or not (match[1] or match[3] or match[6]):
        return None
    if match[1]:
        return time(12 if match[1] == "noon" else 0)
    hour = int(match[2])
    if match[6]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match[6] == "pm" else 0)
    fraction = int((match[5] or "").ljust(6, "0"))
    try:
        return time(hour, int(match[3] or 0), int(match[4] or 0), fraction)
    except ValueError:
        return None


_ON_HINTS = {
    WEEKLY: "Give weekdays, as in --on mon,thu or --on mon-fri",
    MONTHLY: "Give days of the month: a number, last, 1mon to 5sun, last-fri; as in --on 1,15,last",
}


def on_words(on: tuple[str, ...], kind: str) -> list[str]:
    """The words of `on`, short, sorted, each once. Raises InvalidInput for what is none."""
    words = [word.lower() for word in _listed("on", on)]
    if kind == DAILY and words:
        raise refused(
            "on", "daily is every day, it takes no --on", "Use --repeat weekly for some weekdays"
        )
    if kind == WEEKLY:
        return sorted({day for word in words for day in _weekdays(word)}, key=WEEKDAYS.index)
    read = _month_word if kind == MONTHLY else _year_word
    return sorted({read(word) for word in words}, key=_place)


def _weekdays(word: str) -> list[str]:
    """The weekdays of `mon`, `monday` or `fri-mon`."""
    days = weekday_range(word)
    if not days:
        raise refused("on", f"{quoted(word)} is no weekday", _ON_HINTS[WEEKLY])
    return [WEEKDAYS[day] for day in days]


def _month_word(word: str) -> str:
    if month_day(word) is None:
        raise refused("on", f"{quoted(word)} is no day of a month", _ON_HINTS[MONTHLY])
    return word


def _year_word(word: str) -> str:
    if year_day(word) is None:
        raise refused(
            "on",
            f"{quoted(word)} is no day of a year",
            "Give month and day, as in --on 12-24, or use --repeat monthly --every 12",
        )
    return word


def _place(word: str) -> tuple[bool, bool, int, int, str]:
    """Where a word stands among the words of `on`: numbers, nth weekdays, the last ones."""
    day = month_day(word)
    if day is None:
        return False, False, 0, 0, word
    return day.nth < 0, day.weekday is not None, day.nth, day.weekday or 0, ""


def bounds(wishes: Wishes) -> dict[str, Any]:
    """`except`, `from`, `until` and `count` as they are kept, of what is given."""
    found = {
        "except": sorted({_exception(text) for text in _listed("except", wishes.except_)}),
        "from": wishes.from_ and _day("from", wishes.from_),
        "until": wishes.until and _day("until", wishes.until),
        "count": number("count", wishes.count, MOST_COUNT),
    }
    if found["from"] and found["until"] and str(found["until"]) < str(found["from"]):
        raise refused(
            "until",
            f"it ends before it begins: until {found['until']}, from {found['from']}",
            "Give a later --until or an earlier --from",
        )
    return {name: value for name, value in found.items() if value}


def number(field: str, value: int | None, most: int) -> int | None:
    """A whole number of at least 1. Raises InvalidInput for another."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise refused(
            field,
            f"{field} is {quoted(str(value)[:99])}, not a whole number from 1 to {most}",
            f"Give a number, as in --{field} 2",
        )
    return value


def _listed(field: str, texts: tuple[str, ...]) -> list[str]:
    """The words of comma lists. Raises InvalidInput for more than anyone means."""
    words = [word.strip() for text in texts for word in text.split(",") if word.strip()]
    if len(words) > _MOST_WORDS:
        raise refused(
            field, f"{field} has more than {_MOST_WORDS} words", "Leave some of them away"
        )
    return words


def _day(field: str, text: str) -> str:
    """A day as it is kept, YYYY-MM-DD."""
    return _checked(field, text.strip(), r"[0-9]{4}-[0-9]{2}-[0-9]{2}")[:10]


def _exception(text: str) -> str:
    """A day, or a local time, as it is kept."""
    clock = r"[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    kept = _checked("except", text, rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:{clock})?")
    return kept if len(text) > len("2026-12-24") else kept[:10]


def _checked(field: str, text: str, pattern: str) -> str:
    """The ISO form of a day or local time. Raises InvalidInput for what is none."""
    try:
        if not re.fullmatch(pattern, text):
            raise ValueError
        read = datetime.fromisoformat(text)
        if not date.min.year < read.year <= LAST_DAY.year:
            raise ValueError
    except ValueError:
        or_time = ", or a local time, 2026-12-24T09:00" if field == "except" else ""
        raise refused(
            field,
            f"{field} is {quoted(text)}, which is no day",
            f"Give a day, --{field} 2026-12-24{or_time}",
        ) from None
    return read.isoformat()
