"""The pieces of a schedule in words: days, lists of days, times of day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, time

from postsched.domain.recurrence.days import WEEKDAYS, MonthDay
from postsched.domain.when.moment import MONTHS, time_text

_DAYS = tuple(word.capitalize() for word in WEEKDAYS)
_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}


def date_text(day: date) -> str:
    """A day: "31 Dec 2026"."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def clock_text(clock: Iterable[time]) -> str:
    """`at 09:00 and 17:30`."""
    return f"at {listed([time_text(one) for one in clock])}"


def every_text(every: int, unit: str) -> str:
    """`every day`, `every 2 weeks`."""
    return f"every {unit}" if every == 1 else f"every {every} {unit}s"


def weeks_text(every: int, weekdays: Sequence[int]) -> str:
    """`every Mon and Thu`, `every 2 weeks on Mon`."""
    days = weekdays_text(weekdays)
    return f"every {days}" if every == 1 else f"{every_text(every, 'week')} on {days}"


def months_text(every: int, days: Sequence[MonthDay]) -> str:
    """`on the 1st, the 15th and the last day of every month`."""
    return f"on {month_days_text(days)} of {every_text(every, 'month')}"


def years_text(every: int, days: Sequence[tuple[int, int]], leap_day: str = "") -> str:
    """`every year on 24 Dec and 31 Dec`; `leap_day` is what is said of 29 February."""
    named = [
        f"{day} {MONTHS[month - 1]}{leap_day if (month, day) == (2, 29) else ''}"
        for month, day in days
    ]
    return f"{every_text(every, 'year')} on {listed(named)}"


def month_days_text(days: Iterable[MonthDay]) -> str:
    """`the 1st, the 15th and the last day`."""
    return listed([f"the {_month_day(day)}" for day in days])


def weekdays_text(numbers: Sequence[int]) -> str:
    """`Mon and Thu`; three and more in a row as `Mon to Fri`. 0 is Monday."""
    return spans([_DAYS[n] for n in numbers], numbers)


def month_names_text(numbers: Sequence[int]) -> str:
    """`Jan and Jul`, `Jan to Mar`."""
    return spans([MONTHS[n - 1] for n in numbers], numbers)


def spans(names: Sequence[str], numbers: Sequence[int]) -> str:
    """The names of ascending numbers, three and more in a row as `first to last`."""
    runs: list[list[int]] = []
    for place, number in enumerate(numbers):
        if runs and numbers[runs[-1][-1]] + 1 == number:
            runs[-1].append(place)
        else:
            runs.append([place])
    words = []
    for run in runs:
        if len(run) > 2:
            words.append(f"{names[run[0]]} to {names[run[-1]]}")
        else:
            words += [names[place] for place in run]
    return listed(words)


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _month_day(day: MonthDay) -> str:
    if day.weekday is not None:
        return f"{_ORDINALS[day.nth]} {_DAYS[day.weekday]}"
    return "last day" if day.nth < 0 else ordinal(day.nth)


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `13th`."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number in (11, 12, 13) else ending}"
