"""Days of the week and times of day, as people write them for slots, quiet hours and series.

Apart from recurrence, which takes long to load: settings are read by every command.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import time

from postsched.domain.errors import InvalidInput

EVERY_DAY: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
"""Monday is 0."""
DAY_SECONDS = 86_400
_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = {word: day for day, name in enumerate(_NAMES) for word in (name, name[:3])}
_WORDS = {"daily": EVERY_DAY, "weekdays": EVERY_DAY[:5], "weekend": EVERY_DAY[5:]}
_CLOCK = re.compile(r"([0-9]{1,2})(?::([0-9]{2})(?::([0-9]{2}))?)?\s*(am|pm)?")


def weekdays(text: str) -> tuple[int, ...]:
    """The days of `mon-fri`, `sat,sun`, `fri-mon`, `daily`, `weekdays` or `weekend`, sorted, each
    once; Monday is 0. Raises InvalidInput for anything else."""
    found: set[int] = set()
    for word in text.lower().split(","):
        days = _WORDS.get(word.strip()) or weekday_range(word.strip())
        if not days:
            raise InvalidInput(
                f"{word.strip()[:60]!r} is no day of the week",
                "Give days such as mon-fri, sat,sun or daily",
            )
        found.update(days)
    return tuple(sorted(found))


def weekday_range(word: str) -> list[int]:
    """The days of `mon`, `monday` or `fri-mon`, from the first on; none for another word."""
    begin, dash, end = word.partition("-")
    first, last = _DAYS.get(begin), _DAYS.get(end if dash else begin)
    if first is None or last is None:
        return []
    return [(first + n) % 7 for n in range((last - first) % 7 + 1)]


def day_names(days: Sequence[int]) -> str:
    """Days, sorted, as `weekdays` reads them: `mon-fri`, `sat,sun`, `daily`."""
    if tuple(days) == EVERY_DAY:
        return "daily"
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(_run_name(run) for run in runs)


def _run_name(run: Sequence[int]) -> str:
    names = [_NAMES[day][:3] for day in run]
    return f"{names[0]}-{names[-1]}" if len(run) > 2 else ",".join(names)


def clock(text: str) -> time:
    """The time of day of `9:00`, `17:30:15` or `9am`. Raises InvalidInput for anything else."""
    match = _CLOCK.fullmatch(text.strip().lower())
    if match and (match[2] or match[4]):
        hour, half = int(match[1]), match[4]
        if half and 1 <= hour <= 12:
            hour = hour % 12 + (12 if half == "pm" else 0)
        elif half:
            hour = 24
        try:
            return time(hour, int(match[2] or 0), int(match[3] or 0))
        except ValueError:
            pass
    raise InvalidInput(f"{text[:60]!r} is no time of day", "Give times such as 09:00 or 5:30pm")


def clock_text(at: time) -> str:
    """A time of day as it is kept: `09:00`, with seconds and fractions only where there are any."""
    return at.isoformat() if at.second or at.microsecond else f"{at:%H:%M}"
