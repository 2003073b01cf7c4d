"""A schedule described in plain English: "every Mon and Thu at 09:00 Europe/Berlin"."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from postsched.domain.recurrence.days import WEEKDAYS, MonthDay, month_day, year_day
from postsched.domain.recurrence.occurrence import read
from postsched.domain.recurrence.series import left
from postsched.domain.schedule import CRON, DAILY, MONTHLY, ONCE, RRULE, SLOT, WEEKLY, Schedule
from postsched.domain.when import describe as describe_instant
from postsched.domain.zones import zone_named

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY_NAMES = tuple(word.capitalize() for word in WEEKDAYS)
_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}


def describe(schedule: Schedule, now: datetime) -> str:
    """The schedule in words, with what is left of it at `now` (aware): "every Mon and Thu at 09:00
    Europe/Berlin until 31 Dec 2026, 12 left"."""
    if schedule.kind == SLOT:
        return "in the next free slot"
    if schedule.at is None:
        return "not scheduled"
    zone = zone_named(schedule.tz)
    first = read(schedule.at, zone)
    if schedule.kind == ONCE:
        return describe_instant(first.instant, now, zone)
    words = [_pattern(schedule, first.local), *_bounds(schedule.rule, now.astimezone(zone).date())]
    remaining, count = left(schedule, now), schedule.rule.get("count")
    if remaining is None:
        return " ".join(words) + (f", {count} times" if count else "")
    return (
        " ".join(words) + f", {remaining}{f' of {count}' if (count or 0) > remaining else ''} left"
    )


def day_text(day: date) -> str:
    """A day with its weekday: "Thu 31 Dec 2026"."""
    return f"{_DAY_NAMES[day.weekday()]} {_date(day)}"


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def weekdays_text(numbers: Sequence[int]) -> str:
    """`Mon and Thu`; three and more in a row as `Mon to Fri`."""
    runs = _runs(numbers)
    return listed(
        [
            word
            for run in runs
            for word in (
                [f"{_DAY_NAMES[run[0]]} to {_DAY_NAMES[run[-1]]}"]
                if len(run) > 2
                else [_DAY_NAMES[n] for n in run]
            )
        ]
    )


def month_days_text(days: Sequence[MonthDay]) -> str:
    """`the 1st, the 15th and the last day`."""
    return listed([f"the {_month_day(day)}" for day in days])


def year_days_text(days: Sequence[tuple[int, int]]) -> str:
    """`24 Dec and 31 Dec`; of 29 February what other years have."""
    return listed(
        [
            f"{day} {_MONTHS[month - 1]}" + (" (28 Feb in other years)" * ((month, day) == (2, 29)))
            for month, day in days
        ]
    )


def clock_list_text(clock: Sequence[time]) -> str:
    """`09:00 and 17:30`; seconds and fractions where there are any."""
    return listed([time_text(one) for one in clock])


def every_text(every: int, unit: str) -> str:
    """`every day`, `every 2 weeks`."""
    return f"every {unit}" if every == 1 else f"every {every} {unit}s"


def repeated_text(kind: str, every: int, on: Sequence[Any], first: date) -> str:
    """The days of a daily, weekly, monthly or yearly recurrence."""
    if kind == DAILY:
        return every_text(every, "day")
    if kind == WEEKLY:
        days = weekdays_text([WEEKDAYS.index(word) for word in on] or [first.weekday()])
        return f"every {days}" if every == 1 else f"every {every} weeks on {days}"
    if kind == MONTHLY:
        named = [day for word in on if (day := month_day(word))] or [MonthDay(first.day)]
        return f"on {month_days_text(named)} of {every_text(every, 'month')}"
    dates = [one for word in on if (one := year_day(word))] or [(first.month, first.day)]
    return f"{every_text(every, 'year')} on {year_days_text(dates)}"


def _left(remaining: int | None, count: int | None) -> str:
    if remaining is None:
        return f", {count} times" if count else ""
    return (
        f", {remaining} of {count} left" if count and count > remaining else f", {remaining} left"
    )


def _pattern(schedule: Schedule, first: datetime) -> str:
    rule = schedule.rule
    if schedule.kind in (CRON, RRULE):
        return f'by {schedule.kind} "{rule["rule"]}" {schedule.tz}'
    clock = [time.fromisoformat(text) for text in rule.get("times") or ()] or [first.time()]
    days = repeated_text(
        schedule.kind, int(rule.get("every") or 1), rule.get("on") or (), first.date()
    )
    return f"{days} at {clock_list_text(clock)} {schedule.tz}"


def _bounds(rule: Any, today: date) -> list[str]:
    """From when, until when, and without which days."""
    words = []
    if (from_ := rule.get("from")) and date.fromisoformat(from_) > today:
        words.append(f"from {_date(date.fromisoformat(from_))}")
    if until := rule.get("until"):
        words.append(f"until {_date(date.fromisoformat(until))}")
    texts = [text for text in rule.get("except") or () if text[:10] >= today.isoformat()]
    if len(texts) > 3:
        words.append(f"but {len(texts)} exceptions")
    elif texts:
        words.append(f"except {listed([_exception(text) for text in texts])}")
    return words


def _exception(text: str) -> str:
    time_ = datetime.fromisoformat(text)
    return _date(time_) + (f" {time_text(time_.time())}" if len(text) > len("2026-12-24") else "")


def _date(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def time_text(clock: time) -> str:
    """As people give it; of a fraction whole milliseconds, what is finer comes of a clock."""
    text = f"{clock:%H:%M}"
    if clock.second or (clock.microsecond and not clock.microsecond % 1000):
        text += f":{clock.second:02}"
    if clock.microsecond and not clock.microsecond % 1000:
        text += f".{clock.microsecond:06}".rstrip("0")
    return text


def _month_day(day: MonthDay) -> str:
    if day.weekday is not None:
        return f"{_ORDINALS[day.nth]} {_DAY_NAMES[day.weekday]}"
    return "last day" if day.nth < 0 else _ordinal(day.nth)


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number in (11, 12, 13) else ending}"


def _runs(numbers: Sequence[int]) -> list[list[int]]:
    """Neighbours together."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] + 1 == number:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs
