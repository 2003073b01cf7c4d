"""What recurrences name, worked out anew: day by day and minute by minute, without a line of ours.

Local times become instants by the `whenever` library, which reads the zones itself.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from whenever import PlainDateTime

Day = Callable[[date], bool]
"""Whether a pattern names a day."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def instant(local: datetime, zone: str) -> datetime:
    """Of a local time: moved forward by a gap, the first of two."""
    plain = PlainDateTime(
        local.year, local.month, local.day, local.hour, local.minute, local.second,
        nanosecond=local.microsecond * 1000,
    )  # fmt: skip
    return plain.assume_tz(zone, disambiguation="compatible").to_instant().to_stdlib()


def local_times(names: Day, times: Iterable[time], first: datetime, end: date) -> list[datetime]:
    """All that are named from the first on, up to that day."""
    days = (first.date() + timedelta(days=n) for n in range((end - first.date()).days + 1))
    clock = list(times)
    named = (datetime.combine(day, at) for day in days if names(day) for at in clock)
    return [local for local in named if local >= first]


def days_apart(first: date, every: int) -> Day:
    return lambda day: (day - first).days % every == 0


def weeks_apart(first: date, every: int, on: Iterable[str]) -> Day:
    """Day 1 of the calendar was a Monday."""
    wanted, week = {WEEKDAYS.index(word) for word in on}, (first.toordinal() - 1) // 7
    return lambda day: day.weekday() in wanted and ((day.toordinal() - 1) // 7 - week) % every == 0


def months_apart(first: date, every: int, on: Iterable[str]) -> Day:
    month, words = first.year * 12 + first.month, list(on)
    return lambda day: (
        (day.year * 12 + day.month - month) % every == 0 and any(_is(day, word) for word in words)
    )


def years_apart(first: date, every: int, on: Iterable[str]) -> Day:
    words = list(on)
    return lambda day: (
        (day.year - first.year) % every == 0
        and any(
            f"{day:%m-%d}" == word
            or (word == "02-29" and f"{day:%m-%d}" == "02-28" and monthrange(day.year, 2)[1] == 28)
            for word in words
        )
    )


def _is(day: date, word: str) -> bool:
    """Whether it is that day of its month."""
    length = monthrange(day.year, day.month)[1]
    if word == "last":
        return day.day == length
    if word.isdigit():
        return day.day == int(word) or (int(word) > length and day.day == length)
    if WEEKDAYS[day.weekday()] != word[-3:]:
        return False
    if word.startswith("last-"):
        return day.day > length - 7
    return (day.day - 1) // 7 == int(word[0]) - 1


NAMES = {name: n for n, name in enumerate(("sun", *WEEKDAYS[:6]))} | {
    name: n
    for n, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}


@lru_cache(maxsize=2000)
def fits(field: str, value: int, least: int, most: int) -> bool:
    """Whether a value fits a field of cron."""
    for part in field.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            low, high = least, most
        else:
            low_text, dash, high_text = span.partition("-")
            low = NAMES[low_text] if low_text in NAMES else int(low_text)
            high = low
            if dash:
                high = NAMES[high_text] if high_text in NAMES else int(high_text)
        if low <= value <= high and (value - low) % int(step or 1) == 0:
            return True
    return False


def cron_fits(text: str, local: datetime) -> bool:
    """Whether cron would run at that minute."""
    minute, hour, month_day, month, weekday = text.split()
    if not (
        fits(minute, local.minute, 0, 59)
        and fits(hour, local.hour, 0, 23)
        and fits(month, local.month, 1, 12)
    ):
        return False
    by_number = fits(month_day, local.day, 1, 31)
    sunday_first = (local.weekday() + 1) % 7
    by_weekday = fits(weekday, sunday_first, 0, 7) or (sunday_first == 0 and fits(weekday, 7, 0, 7))
    if month_day.startswith("*") or weekday.startswith("*"):
        return by_number and by_weekday
    return by_number or by_weekday


def cron_instants(
    text: str, zone: str, begin: datetime, end: datetime, *, by_clock: bool
) -> list[datetime]:
    """Between two instants (UTC, the first included): by each minute that passes, or by each that
    the calendar has, twice over where the clocks change."""
    if by_clock:
        return [at for at, local in real_minutes(zone, begin, end) if cron_fits(text, local)]
    margin = timedelta(days=2)
    local, last = (edge.replace(tzinfo=None) for edge in (begin - margin, end + margin))
    found = set()
    while local < last:
        if cron_fits(text, local):
            found.add(instant(local, zone))
        local += timedelta(minutes=1)
    return sorted(at for at in found if begin <= at < end)


def real_minutes(zone: str, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Every minute between two instants, with the local time of it."""
    place, at = ZoneInfo(zone), begin
    while at < end:
        yield at, at.astimezone(place).replace(tzinfo=None, fold=0)
        at += timedelta(minutes=1)


def changes(zone: str, begin: int, end: int) -> list[datetime]:
    """The hours (UTC) of those years after which the clocks of the zone are changed."""
    place = ZoneInfo(zone)
    at, last = datetime(begin, 1, 1, tzinfo=UTC), datetime(end + 1, 1, 1, tzinfo=UTC)
    found, step = [], timedelta(hours=1)
    while at < last:
        if at.astimezone(place).utcoffset() != (at + step).astimezone(place).utcoffset():
            found.append(at)
        at += step
    return found
