"""A schedule described in plain English: "every Mon and Thu at 09:00 Europe/Berlin"."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from postsched.domain.recurrence.days import WEEKDAYS, MonthDay, month_day, year_day
from postsched.domain.recurrence.occurrence import read
from postsched.domain.recurrence.phrases import (
    clock_text,
    date_text,
    every_text,
    listed,
    months_text,
    weeks_text,
    years_text,
)
from postsched.domain.recurrence.rewording import cron_text, rule_text
from postsched.domain.recurrence.series import left
from postsched.domain.schedule import CRON, DAILY, MONTHLY, ONCE, RRULE, SLOT, WEEKLY, Schedule
from postsched.domain.when import describe as describe_instant
from postsched.domain.when.moment import time_text
from postsched.domain.zones import zone_named

_MOST_NAMED = 3
"""Up to how many exceptions are named; more are counted."""


def describe(schedule: Schedule, now: datetime, waiting: int | None = None) -> str:
    """The schedule in words, with what is left of it at `now` (aware): "every Mon and Thu at 09:00
    Europe/Berlin until 31 Dec 2026, 12 left". `waiting`: how many are left where that is known,
    for it was cancelled, or nothing comes after what is overdue."""
    if schedule.kind == SLOT:
        return "in the next free slot"
    if schedule.at is None:
        return "not scheduled"
    zone = zone_named(schedule.tz)
    first = read(schedule.at, zone)
    if schedule.kind == ONCE:
        return describe_instant(first.instant, now, zone)
    words = [_pattern(schedule, first.local), *_bounds(schedule.rule, now.astimezone(zone).date())]
    remaining = left(schedule, now) if waiting is None else waiting
    return " ".join(words) + _left(remaining, schedule.rule.get("count"))


def _left(remaining: int | None, count: int | None) -> str:
    if remaining is None:
        return f", {count} times" if count else ""
    if not remaining:
        return ", over"
    of_count = f" of {count}" if count and count > remaining else ""
    return f", {remaining}{of_count} left"


def _pattern(schedule: Schedule, first: datetime) -> str:
    rule = schedule.rule
    if schedule.kind == CRON:
        return cron_text(rule["rule"], schedule.tz)
    if schedule.kind == RRULE:
        return rule_text(rule["rule"], first, schedule.tz)
    days = _days(schedule.kind, int(rule.get("every") or 1), rule.get("on") or (), first)
    clock = [time.fromisoformat(text) for text in rule.get("times") or ()] or [first.time()]
    return f"{days} {clock_text(clock)} {schedule.tz}"


def _days(kind: str, every: int, on: Sequence[Any], first: date) -> str:
    """The days of a daily, weekly, monthly or yearly recurrence."""
    if kind == DAILY:
        return every_text(every, "day")
    if kind == WEEKLY:
        return weeks_text(every, [WEEKDAYS.index(word) for word in on] or [first.weekday()])
    if kind == MONTHLY:
        named = [day for word in on if (day := month_day(word))]
        return months_text(every, named or [MonthDay(first.day)])
    dates = [one for word in on if (one := year_day(word))]
    return years_text(every, dates or [(first.month, first.day)], " (28 Feb in other years)")


def _bounds(rule: Any, today: date) -> list[str]:
    """From when, until when, and without which days."""
    words = []
    if (from_ := rule.get("from")) and date.fromisoformat(from_) > today:
        words.append(f"from {date_text(date.fromisoformat(from_))}")
    if until := rule.get("until"):
        words.append(f"until {date_text(date.fromisoformat(until))}")
    texts = [text for text in rule.get("except") or () if text[:10] >= today.isoformat()]
    if len(texts) > _MOST_NAMED:
        words.append(f"but for {len(texts)} exceptions")
    elif texts:
        words.append(f"except {listed([_exception(text) for text in texts])}")
    return words


def _exception(text: str) -> str:
    local = datetime.fromisoformat(text)
    clock = f" {time_text(local.time())}" if len(text) > len("2026-12-24") else ""
    return f"{date_text(local)}{clock}"
