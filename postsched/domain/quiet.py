"""Quiet hours: the times of the week at which nothing is to go out for an account.

Pure. `22:00-07:00` is every night; days stand before the windows they are for, and are those on
which a window begins: `mon-fri 22:00-07:00, sat,sun 20:00-10:00`. The times are local. A clock
change never cuts quiet hours short: of a time that it skips or repeats, the reading counts that
makes them longer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from postsched.domain.errors import InvalidInput
from postsched.domain.weekdays import DAY_SECONDS, EVERY_DAY, clock, weekdays

EXPECTED = "quiet hours such as 22:00-07:00 or mon-fri 22:00-07:00, sat,sun 20:00-10:00"
_MOST_CHARACTERS = 500
_MOST_STEPS = 100_000
_WINDOW = re.compile(r"([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)[-–]([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)")
_WEEK = 7 * DAY_SECONDS


@dataclass(frozen=True, slots=True)
class Window:
    """Quiet from `start` on those days (Monday is 0) for so many `seconds` of the clock."""

    days: tuple[int, ...]
    start: time
    seconds: int


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The windows, and the text that they were read from."""

    windows: tuple[Window, ...]
    text: str

    def until(self, instant: datetime, zone: tzinfo) -> datetime | None:
        """When the quiet hours end that an aware instant lies in (UTC); None if it lies in none."""
        found = instant.astimezone(UTC)
        for _ in range(_MOST_STEPS):
            ends = [end for start, end in self._around(found, zone) if start <= found < end]
            if not ends:
                break
            found = max(ends)
        return found if found != instant else None

    def _around(self, instant: datetime, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
        """The windows that may hold an instant, as instants; none at the ends of the calendar."""
        try:
            today = instant.astimezone(zone).date()
            days = [today - timedelta(days=back) for back in (3, 2, 1, 0, -1, -2)]
        except OverflowError:
            return
        for day in days:
            for window in self.windows:
                if day.weekday() in window.days:
                    start = datetime.combine(day, window.start)
                    try:
                        end = start + timedelta(seconds=window.seconds)
                        yield _readings(start, zone)[0], _readings(end, zone)[1]
                    except OverflowError:
                        continue


def parse_quiet(text: str) -> QuietHours:
    """The quiet hours that a text names. Raises InvalidInput for what is none, and for what would
    leave no time at all."""
    windows: list[Window] = []
    days, named, open_days = EVERY_DAY, "", False
    for word in re.split(r"[\s,;]+", text.strip()[:_MOST_CHARACTERS]):
        if found := _WINDOW.fullmatch(word):
            windows.append(_window(days, found[1], found[2]))
            open_days = False
            continue
        try:
            named = f"{named},{word}" if open_days else word
            days, open_days = weekdays(named), True
        except InvalidInput:
            raise _refused(f"{word[:60]!r} in them is neither days nor hours") from None
    if not windows or open_days or len(text) > _MOST_CHARACTERS:
        raise _refused(f"{text[:60]!r} names no hours" if not windows else f"{text[:60]!r}")
    if _is_all(windows):
        raise InvalidInput(f"the quiet hours {text!r} leave no time to post", "Leave some out")
    return QuietHours(tuple(windows), " ".join(text.split()))


def _refused(why: str) -> InvalidInput:
    return InvalidInput(f"the quiet hours can't be read: {why}", f"Give {EXPECTED}")


def _window(days: tuple[int, ...], begin: str, end: str) -> Window:
    start = clock(begin)
    whole = end in ("24:00", "24:00:00")
    seconds = (DAY_SECONDS if whole else _of_day(clock(end))) - _of_day(start)
    if seconds == 0:
        raise _refused(f"{begin}-{end} ends where it begins")
    return Window(days, start, seconds % DAY_SECONDS or DAY_SECONDS)


def _of_day(at: time) -> int:
    return at.hour * 3600 + at.minute * 60 + at.second


def _is_all(windows: list[Window]) -> bool:
    """Whether no second of the week is left."""
    spans = []
    for window in windows:
        for day in window.days:
            start = day * DAY_SECONDS + _of_day(window.start)
            spans += [
                (start, start + window.seconds),
                (start - _WEEK, start - _WEEK + window.seconds),
            ]
    spans.sort()
    reached = 0
    for start, end in spans:
        if start > reached:
            return False
        reached = max(reached, end)
    return reached >= _WEEK


def _readings(local: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """The earliest and the latest instant that a local time may mean: they differ where a clock
    change skips or repeats it."""
    found = [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return min(found), max(found)
