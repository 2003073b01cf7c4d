"""Cron expressions in their standard meaning (crontab(5) of Vixie cron), on APScheduler's triggers.

Five fields: minute, hour, day of the month, month, weekday. Weekdays are 0 to 7, 0 and 7 Sunday.
If both days are restricted (neither begins with `*`), either may fit. APScheduler counts weekdays
from Monday and wants both days to fit, so it gets names, and a trigger for each day. It finds the
days only; the times of day of an expression are the same on each of them.

With a wildcard or stepped hour it runs by the clock's hours, see `occurrence`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from postsched.domain.recurrence.days import LAST_DAY, WEEKDAYS
from postsched.domain.recurrence.pattern import Calendar
from postsched.domain.recurrence.wishes import quoted, refused

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LONGEST = 300
MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_HINT = "Give minute, hour, day of the month, month and weekday, as in --cron '30 9 * * mon-fri'"


@dataclass(frozen=True, slots=True)
class Field:
    """A place in an expression: what it is called, and the numbers and names it takes."""

    name: str
    least: int
    most: int
    names: Mapping[str, int]


FIELDS = (
    Field("minute", 0, 59, {}),
    Field("hour", 0, 23, {}),
    Field("day of the month", 1, 31, {}),
    Field("month", 1, 12, {name: n for n, name in enumerate(_MONTHS, 1)}),
    Field("weekday", 0, 7, {name: (n + 1) % 7 for n, name in enumerate(WEEKDAYS)}),
)


@dataclass(frozen=True, slots=True)
class Expression:
    """What an expression names. Weekdays are 0 to 6, 0 is Sunday. `either`: whether a day may fit
    by its number or by its weekday; else both must. `text` are its five fields."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    month_days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool
    by_clock: bool


@lru_cache(maxsize=128)
def expression(text: str) -> Expression:
    """What a cron expression or a macro such as `@daily` names. Raises InvalidInput, which says
    the field that is at fault, for what is none and for what never comes."""
    words = text.lower().split() if len(text) <= _LONGEST else []
    if len(words) == 1 and words[0] in MACROS:
        words = MACROS[words[0]].split()
    if len(words) == 1 and words[0].startswith("@"):
        known = ", ".join(MACROS)
        raise refused("cron", f"{quoted(words[0])} is no time", f"There are {known}")
    if len(words) != len(FIELDS):
        counted = f"has {len(words)} fields, not 5" if words else "is no cron expression"
        raise refused("cron", f"{quoted(text)} {counted}", _HINT)
    minutes, hours, month_days, months, weekdays = (
        _numbers(word, field) for word, field in zip(words, FIELDS, strict=True)
    )
    found = Expression(
        text=" ".join(words),
        minutes=minutes,
        hours=hours,
        month_days=month_days,
        months=months,
        weekdays=frozenset(day % 7 for day in weekdays),
        either=not words[2].startswith("*") and not words[4].startswith("*"),
        by_clock="*" in words[1] or "/" in words[1] or len(hours) == 24,
    )
    if not found.either and not _in_some_month(found):
        days = f"{', '.join(map(str, sorted(found.month_days)))} in month {words[3]}"
        raise refused("cron", f"{quoted(text)} never comes: no day {days}", "Give another day")
    return found


def cron(text: str) -> Calendar:
    """The pattern of a cron expression. Raises InvalidInput as `expression` does."""
    found = expression(text)
    return Calendar(_Days(found), _clock(found), by_clock=found.by_clock)


_PART = re.compile(r"(?:(\*)|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:/([0-9]+))?")


def _numbers(word: str, field: Field) -> frozenset[int]:
    """The numbers of one field: `*`, `5`, `1-5`, `*/15`, `1-10/3`, and lists of these."""
    found: set[int] = set()
    for part in word.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise _fault(part, field)
        step = int((match[4] or "1")[:9])
        if step == 0 or (match[4] and match[2] and not match[3]):
            raise _fault(part, field, f"Give a step as */{step or 2} or 1-9/{step or 2}")
        if match[1]:
            found.update(range(field.least, field.most + 1, step))
            continue
        begin = _number(match[2], part, field)
        end = _number(match[3], part, field) if match[3] else begin
        if end == 0 < begin and match[3] == "sun":
            end = 7  # fri-sun
        if end < begin:
            raise _fault(part, field, "Give a range from the lower to the higher, or a list")
        found.update(range(begin, end + 1, step))
    return frozenset(found)


def _number(text: str, part: str, field: Field) -> int:
    number = field.names.get(text, int(text) if re.fullmatch(r"[0-9]{1,3}", text) else -1)
    if not field.least <= number <= field.most:
        raise _fault(part, field)
    return number


def _fault(part: str, field: Field, hint: str | None = None) -> Exception:
    names = f" or a name such as {next(iter(field.names))}" if field.names else ""
    expected = f"Give {field.least} to {field.most}{names}, *, a range, a step or a list of these"
    return refused("cron", f"{quoted(part)} can't be the {field.name} of cron", hint or expected)


def _in_some_month(found: Expression) -> bool:
    return any(min(found.month_days) <= _LONGEST_MONTHS[month - 1] for month in found.months)


def _clock(found: Expression) -> list[time]:
    return [time(hour, minute) for hour in sorted(found.hours) for minute in sorted(found.minutes)]


class _Days:
    """The days of an expression, from any day on."""

    def __init__(self, found: Expression) -> None:
        self._trigger = _trigger(found)

    def __call__(self, start: date) -> Iterator[date]:
        """Ascending, by APScheduler's trigger at midnight in UTC, where the clocks never change."""
        day = datetime.combine(start, time.min, UTC)
        while day.date() <= LAST_DAY:
            named = self._trigger.get_next_fire_time(None, day)
            if named is None or named.date() > LAST_DAY:
                return
            yield named.date()
            day = named + timedelta(days=1)


def _trigger(found: Expression) -> Any:
    """One for both kinds of days, or one for each: what never comes would be sought for ever."""
    from apscheduler.triggers.combining import OrTrigger
    from apscheduler.triggers.cron import CronTrigger

    names = ",".join(name for n, name in enumerate(WEEKDAYS) if (n + 1) % 7 in found.weekdays)
    numbers = ",".join(map(str, sorted(found.month_days)))
    months = ",".join(map(str, sorted(found.months)))

    def at_midnight(**days: str) -> Any:
        return CronTrigger(month=months, hour=0, minute=0, second=0, timezone=UTC, **days)

    if not found.either:
        return at_midnight(day=numbers, day_of_week=names)
    by_weekday = at_midnight(day_of_week=names)
    if not _in_some_month(found):
        return by_weekday
    return OrTrigger([at_midnight(day=numbers), by_weekday])
