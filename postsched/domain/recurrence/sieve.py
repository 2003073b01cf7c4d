"""Which days the BY parts of a rule leave."""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postsched.domain.recurrence.rule import Rule


def leaves_a_day(rule: Rule) -> bool:
    """Whether BYMONTH, BYMONTHDAY and BYYEARDAY leave any day: of a leap year and another one."""
    fits = sieve(replace(rule, weekdays=()))
    return any(fits(date(2027, 1, 1) + timedelta(days=n)) for n in range(365 + 366))


def sieve(rule: Rule) -> Callable[[date], bool]:
    """Whether a day is left by BYMONTH, BYMONTHDAY, BYYEARDAY and BYDAY."""
    months = frozenset(rule.by.get("BYMONTH", ()))
    month_days = frozenset(rule.by.get("BYMONTHDAY", ()))
    year_days = frozenset(rule.by.get("BYYEARDAY", ()))
    weekdays = frozenset(weekday for weekday, _ in rule.weekdays)

    def fits(day: date) -> bool:
        return (
            (not months or day.month in months)
            and (not weekdays or day.weekday() in weekdays)
            and (not month_days or not month_days.isdisjoint(_month_numbers(day)))
            and (not year_days or not year_days.isdisjoint(_year_numbers(day)))
        )

    return fits


def _month_numbers(day: date) -> tuple[int, int]:
    """Its number in the month, from the first and from the last."""
    return day.day, day.day - monthrange(day.year, day.month)[1] - 1


def _year_numbers(day: date) -> tuple[int, int]:
    """Its number in the year, from the first and from the last."""
    number = day.timetuple().tm_yday
    return number, number - (366 if isleap(day.year) else 365) - 1
