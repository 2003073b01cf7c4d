"""What a rule of years, months or weeks names, expanded by python-dateutil.

dateutil is started at a period near the time asked for, with all that RFC 5545 takes from DTSTART
said outright, so the first costs the same however far from DTSTART.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from math import prod
from typing import Any, cast

from postsched.domain.recurrence.rule import FREQUENCIES, Rule


def periods(rule: Rule, first: datetime, start: datetime, end: datetime) -> Iterator[datetime]:
    """What a rule of years, months or weeks names between two times, both included."""
    near = _period_near(rule, first, start)
    if near is None or min(map(abs, rule.by.get("BYSETPOS", (1,)))) > _most_named(rule):
        return
    try:
        for one in _dateutil(rule, first, near, end):
            if one >= start:
                yield one
    except (ValueError, OverflowError):  # past the end of the calendar
        return


def _most_named(rule: Rule) -> int:
    """How many times a period may have: BYSETPOS picks none beyond, and dateutil would go on."""
    days = {"YEARLY": 366, "MONTHLY": 31}.get(rule.freq, len(rule.weekdays) or 1)
    return days * prod(len(rule.by.get(name, "1")) for name in ("BYHOUR", "BYMINUTE", "BYSECOND"))


def _period_near(rule: Rule, first: datetime, start: datetime) -> datetime | None:
    """The beginning of the last period that begins at or before `start`, of those that count."""
    start = max(start, first)
    try:
        if rule.freq == "YEARLY":
            year = first.year + _multiple(start.year - first.year, rule.interval)
            return datetime.combine(date(year, 1, 1), time.min)
        if rule.freq == "MONTHLY":
            month = first.year * 12 + first.month - 1
            month += _multiple(start.year * 12 + start.month - 1 - month, rule.interval)
            return datetime.combine(date(month // 12, month % 12 + 1, 1), time.min)
        day = datetime.combine(first, time.min)
        day -= timedelta(days=(day.weekday() - rule.week_start) % 7)
        return day + timedelta(days=_multiple((start - day).days, 7 * rule.interval))
    except (ValueError, OverflowError):
        return None


def _multiple(distance: int, step: int) -> int:
    """The greatest multiple of the step that is not above the distance."""
    return max(distance, 0) // step * step


def _dateutil(rule: Rule, first: datetime, near: datetime, until: datetime) -> Iterable[datetime]:
    """dateutil's expansion from a period on; what RFC 5545 takes from DTSTART is said outright."""
    from dateutil.rrule import rrule, weekday

    by: dict[str, Any] = {name.lower(): numbers for name, numbers in rule.by.items()}
    weekdays: tuple[Any, ...] = tuple(
        weekday(day, nth) if nth else weekday(day) for day, nth in rule.weekdays
    )
    if not weekdays and not by.keys() & {"byyearday", "bymonthday"}:
        if rule.freq == "WEEKLY" or "byweekno" in by:
            weekdays = (weekday(first.weekday()),)
        elif rule.freq in ("YEARLY", "MONTHLY"):
            by["bymonthday"] = (first.day,)
            if rule.freq == "YEARLY":
                by.setdefault("bymonth", (first.month,))
    by.setdefault("byhour", (first.hour,))
    by.setdefault("byminute", (first.minute,))
    by.setdefault("bysecond", (first.second,))
    if weekdays:
        by["byweekday"] = weekdays
    return rrule(
        cast(Any, FREQUENCIES.index(rule.freq)), dtstart=near, interval=rule.interval, until=until,
        wkst=rule.week_start, **by,
    )  # fmt: skip
