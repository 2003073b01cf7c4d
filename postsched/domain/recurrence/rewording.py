"""Cron expressions and RFC 5545 rules in words, where that is simple; else they are quoted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time
from itertools import product

from postsched.domain.recurrence.cron import Expression, expression
from postsched.domain.recurrence.days import MonthDay
from postsched.domain.recurrence.phrases import (
    clock_text,
    date_text,
    every_text,
    month_days_text,
    month_names_text,
    months_text,
    ordinal,
    spans,
    weekdays_text,
    weeks_text,
    years_text,
)
from postsched.domain.recurrence.rule import Rule, rule
from postsched.domain.zones import zone_named

_MOST_TIMES = 6
"""Up to how many times of day, or days of a month, are named one by one."""
_UNITS = {"HOURLY": "hour", "MINUTELY": "minute", "SECONDLY": "second"}


def cron_text(text: str, tz: str) -> str:
    """A cron expression: "every 15 minutes, Europe/Berlin", "every Mon to Fri at 09:00
    Europe/Berlin", "at minute 0 of hours 8 to 18, Mon to Fri, Europe/Berlin"."""
    found = expression(text)
    days = _cron_days(found)
    if days is None:
        return f'by cron "{text}" {tz}'
    clock = [time(*at) for at in product(sorted(found.hours), sorted(found.minutes))]
    if len(clock) <= _MOST_TIMES:
        return f"{days} {clock_text(clock)} {tz}"
    within = days.removeprefix("every ")
    return ", ".join([_cron_clock(found), *([] if within == "day" else [within]), tz])


def _cron_days(found: Expression) -> str | None:
    """Which days; None where that takes more than a phrase."""
    numbers = sorted(found.month_days) if len(found.month_days) < 31 else []
    weekdays = sorted((day - 1) % 7 for day in found.weekdays) if len(found.weekdays) < 7 else []
    months = sorted(found.months) if len(found.months) < 12 else []
    if len(numbers) > _MOST_TIMES or (numbers and weekdays and (months or not found.either)):
        return None
    if found.either and not (numbers and weekdays):
        numbers, weekdays = [], []  # one of the two names every day
    within = f" in {month_names_text(months)}" if months else ""
    every_weekday = f"every {weekdays_text(weekdays) if weekdays else 'day'}{within}"
    if not numbers:
        return every_weekday
    if months:
        if len(numbers) == 1:
            return years_text(1, [(month, numbers[0]) for month in months])
        return f"on {month_days_text(map(MonthDay, numbers))} of {month_names_text(months)}"
    by_number = months_text(1, [MonthDay(number) for number in numbers])
    return f"{by_number} and {every_weekday}" if weekdays else by_number


def _cron_clock(found: Expression) -> str:
    """Which minutes of which hours."""
    hours, minutes = sorted(found.hours), sorted(found.minutes)
    step = _step(minutes, 60)
    begun = every_text(step, "minute") if step else f"at {_numbers('minute', minutes)}"
    if len(hours) == 24:
        if minutes == [0]:
            return "every hour"
        return begun if step else f"{begun} of every hour"
    step = _step(hours, 24)
    return f"{begun} of " + (f"every {ordinal(step)} hour" if step else _numbers("hour", hours))


def _numbers(unit: str, numbers: list[int]) -> str:
    return f"{unit}{'s' * (len(numbers) > 1)} {spans(list(map(str, numbers)), numbers)}"


def _step(numbers: list[int], of: int) -> int | None:
    """The step that gives them from 0 on, all round the clock; None if none does."""
    step = of // len(numbers)
    return step if len(numbers) > 1 and numbers == list(range(0, of, step)) else None


def rule_text(text: str, first: datetime, tz: str) -> str:
    """A rule: "every 2 weeks on Mon at 09:00 Europe/Berlin until 31 Dec 2026"."""
    found = rule(text)
    zone = zone_named(tz)
    begun = found.start.local(zone) if found.start else first
    days, clock = _rule_days(found, begun), _rule_clock(found, begun)
    if days is None or clock is None or found.extra:
        return f'by rule "{" ".join(text.split())}" {tz}'
    until = f" until {date_text(found.until.local(zone))}" if found.until else ""
    return (f"{days} {clock} {tz}" if clock else f"{days}, {tz}") + until


def _rule_clock(found: Rule, first: datetime) -> str | None:
    """At which times of day; empty for what runs by the clock."""
    if found.by_clock:
        return None if found.by else ""
    hours, minutes = (
        found.by.get("BYHOUR", (first.hour,)),
        found.by.get("BYMINUTE", (first.minute,)),
    )
    seconds = found.by.get("BYSECOND", (first.second,))
    clock = [time(*at) for at in product(hours, minutes, seconds)]
    return clock_text(clock) if len(clock) <= _MOST_TIMES else None


def _rule_days(found: Rule, first: datetime) -> str | None:
    """Which days; None where that takes more than a phrase."""
    parts = found.by.keys() - {"BYHOUR", "BYMINUTE", "BYSECOND"}
    weekdays = [weekday for weekday, _ in found.weekdays]
    if found.by_clock:
        unit = every_text(found.interval, _UNITS[found.freq])
        return None if parts or weekdays else unit
    if found.freq == "DAILY" and not parts and not weekdays:
        return every_text(found.interval, "day")
    if found.freq == "WEEKLY" and not parts:
        return weeks_text(found.interval, sorted(set(weekdays)) or [first.weekday()])
    if found.freq == "MONTHLY" and (days := _rule_month_days(found, parts, first)):
        return months_text(found.interval, days)
    numbers = found.by.get("BYMONTHDAY", (first.day,))
    if found.freq == "YEARLY" and not weekdays and parts in ({"BYMONTH", "BYMONTHDAY"}, set()):
        dates = product(found.by.get("BYMONTH", (first.month,)), numbers)
        return years_text(found.interval, list(dates)) if min(numbers) > 0 else None
    return None


def _rule_month_days(found: Rule, parts: Iterable[str], first: datetime) -> list[MonthDay]:
    """The days of a month; none where they are not simple."""
    if found.weekdays:
        simple = not parts and all(nth in (-1, 1, 2, 3, 4, 5) for _, nth in found.weekdays)
        return [MonthDay(nth, weekday) for weekday, nth in found.weekdays] if simple else []
    numbers = sorted(found.by.get("BYMONTHDAY", (first.day,)), key=lambda n: (n < 0, n))
    simple = set(parts) <= {"BYMONTHDAY"} and len(numbers) <= _MOST_TIMES and min(numbers) >= -1
    return [MonthDay(number) for number in numbers] if simple else []
