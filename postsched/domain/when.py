"""WHEN: the text by which a person names a time, the instant it means, and saying that back.

A small strict grammar. It reads `now`; `in 2 hours`; and a time of day (`14:30`, `9am`, `noon`)
alone or after a day (`2026-12-01`, `today`, `tomorrow`, `fri`). Whatever is not understood as a
whole is refused, never guessed. In `in N …`, days and weeks are calendar days in the zone, so the
time of day stays; hours, minutes and seconds are exact. Another form is another function in
`_READERS`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from fractions import Fraction
from typing import TYPE_CHECKING

from postsched.domain.duration import distance
from postsched.domain.errors import InvalidInput
from postsched.domain.zones import ClockChange, resolve

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

EXAMPLES = "now, 2026-12-01T09:00, 14:30, in 2 hours, tomorrow 9am or fri 14:30"

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_FIRST_YEAR, _LAST_YEAR = 2, 9998  # so that no offset leads past an end of the calendar
_MOST_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant (aware, UTC). `note` is a sentence on what a clock change made of the time."""

    instant: datetime
    note: str | None = None


class PastTime(InvalidInput):
    """The text was understood, as `moment`, and lies in the past."""

    def __init__(self, message: str, moment: Moment) -> None:
        super().__init__(message, "Give a time to come, or now")
        self.moment = moment


def understand(text: str, now: datetime, zone: ZoneInfo) -> Moment:
    """The moment that `text` means at `now` (aware) for someone in `zone`.

    Raises PastTime for a time before `now`, InvalidInput for what is no time.
    """
    moment = _read(text, now.astimezone(UTC), zone)
    if moment.instant < now:
        said = describe(moment.instant, now, zone)
        raise PastTime(f"{_quoted(text)} is past: {said}", moment)
    return moment


def is_fixed(text: str) -> bool:
    """Whether the text means the same instant whenever it is read: it names a date."""
    return re.match(r"\s*[0-9]{4}-", text) is not None


def describe(instant: datetime, now: datetime, zone: ZoneInfo) -> str:
    """An instant with zone and distance: "Fri 27 Nov 2026, 14:30 CET, in 5 days".

    Of a fraction of a second it says what people give, whole milliseconds; what is finer comes of
    a clock that was read, and is left out.
    """
    local = instant.astimezone(zone)
    name = local.tzname() or "UTC"
    name = f"UTC{name}" if name[0] in "+-" else name
    return f"{_day(local)}, {_clock(local)} {name}, {distance(instant - now)}"


def _day(local: datetime) -> str:
    """The day in English, whatever the locale."""
    weekday, month = WEEKDAYS[local.weekday()][:3], MONTHS[local.month - 1]
    return f"{weekday} {local.day} {month} {local.year}"


def _clock(local: datetime) -> str:
    text = f"{local:%H:%M}"
    if local.second or (local.microsecond and not local.microsecond % 1000):
        text += f":{local.second:02}"
    if local.microsecond and not local.microsecond % 1000:
        text += f".{local.microsecond:06}".rstrip("0")
    return text


def _read(text: str, now: datetime, zone: ZoneInfo) -> Moment:
    phrase = " ".join(text[: _MOST_CHARACTERS + 1].lower().split())
    try:
        for read in _READERS if len(text) <= _MOST_CHARACTERS else ():
            moment = read(phrase, now, zone)
            if moment is not None:
                return _within_calendar(moment)
    except (ValueError, OverflowError):
        raise InvalidInput(
            f"there is no such time as {_quoted(text)}", f"Give a time such as {EXAMPLES}"
        ) from None
    raise InvalidInput(
        f"{_quoted(text)} is not understood as a time", f"Give a time such as {EXAMPLES}"
    )


def _within_calendar(moment: Moment) -> Moment:
    if not _FIRST_YEAR <= moment.instant.year <= _LAST_YEAR:
        raise OverflowError
    return moment


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…")


def _local(local: datetime, zone: ZoneInfo) -> Moment:
    """The moment of a naive local time, with a note where the clocks are changed."""
    instant, change = resolve(local, zone)
    if change is ClockChange.SKIPPED:
        moved = instant.astimezone(zone)
        return Moment(
            instant,
            f"{_day(local)}, {_clock(local)} is skipped by a clock change in {zone.key}: "
            f"it becomes {_day(moved)}, {_clock(moved)}",
        )
    if change is ClockChange.REPEATED:
        return Moment(
            instant,
            f"{_day(local)}, {_clock(local)} comes twice by a clock change in {zone.key}: "
            "the first is taken",
        )
    return Moment(instant)


def _read_now(phrase: str, now: datetime, zone: ZoneInfo) -> Moment | None:
    return Moment(now) if phrase == "now" else None


_UNITS = {
    "w": "weeks", "week": "weeks", "weeks": "weeks",
    "d": "days", "day": "days", "days": "days",
    "h": "hours", "hour": "hours", "hours": "hours", "hr": "hours", "hrs": "hours",
    "m": "minutes", "min": "minutes", "mins": "minutes", "minute": "minutes", "minutes": "minutes",
    "s": "seconds", "sec": "seconds", "secs": "seconds", "second": "seconds", "seconds": "seconds",
    "ms": "milliseconds",
}  # fmt: skip
_MICROSECONDS = {
    "weeks": 604_800_000_000, "days": 86_400_000_000, "hours": 3_600_000_000,
    "minutes": 60_000_000, "seconds": 1_000_000, "milliseconds": 1_000,
}  # fmt: skip
_AMOUNT = re.compile(
    r"([0-9]+(?:\.[0-9]+)?|an?(?= )) ?([a-z]+)(?:(?:,? and |, ?| )(?=[0-9a])|(?=[0-9])|$)"
)


def _read_in(phrase: str, now: datetime, zone: ZoneInfo) -> Moment | None:
    """`in 2 hours`, `in 1h30m`, `in a day and 2 hours`: from the largest unit to the smallest."""
    amounts = _amounts(phrase.removeprefix("in ")) if phrase.startswith("in ") else None
    if not amounts:
        return None
    days = amounts.pop("weeks", Fraction(0)) * 7 + amounts.pop("days", Fraction(0))
    if days.denominator != 1:
        return None
    moment = Moment(now)
    if days:
        local = now.astimezone(zone).replace(tzinfo=None)
        moment = _local(local + timedelta(days=int(days)), zone)
    exact = sum(round(count * _MICROSECONDS[unit]) for unit, count in amounts.items())
    return replace(moment, instant=moment.instant + timedelta(microseconds=exact))


def _amounts(text: str) -> dict[str, Fraction] | None:
    """How many of each unit, or None if that isn't what the text says."""
    found: dict[str, Fraction] = {}
    while text:
        piece = _AMOUNT.match(text)
        unit = _UNITS.get(piece[2]) if piece else None
        if piece is None or unit is None:
            return None
        if any(_MICROSECONDS[unit] >= _MICROSECONDS[larger] for larger in found):
            return None
        found[unit] = Fraction(piece[1]) if piece[1][0].isdigit() else Fraction(1)
        text = text[piece.end() :]
    return found


_SHORT_DAYS = {name[:3].lower(): n for n, name in enumerate(WEEKDAYS)}
_DAY = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}|today|tomorrow"
    r"|mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?"
    r"|sun(?:day)?"
)
_DAY_TIME = re.compile(
    rf"(?:(?P<day>{_DAY})(?:(?<=[0-9])t|,? (?:at )?)|(?:at )?)"
    r"(?:(?P<word>noon|midnight)"
    r"|(?P<hour>[0-9]{1,2})(?::(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?)?(?: ?(?P<half>am|pm))?"
    r"(?: ?(?P<offset>z|[+-][0-9]{2}(?::?[0-9]{2})?))?)"
)


def _read_day_time(phrase: str, now: datetime, zone: ZoneInfo) -> Moment | None:
    """A time of day, alone or on a day; with an offset from UTC only after a date."""
    if re.fullmatch(_DAY, phrase):
        raise InvalidInput(
            f"{phrase!r} is a day without a time", f"Add a time of day, such as '{phrase} 09:00'"
        )
    match = _DAY_TIME.fullmatch(phrase)
    if match is None or not (match["word"] or match["minute"] or match["half"]):
        return None
    clock, day = _clock_time(match), match["day"]
    if match["offset"]:
        return _at_offset(day, clock, match["offset"]) if day and day[0].isdigit() else None
    if day and day[0].isdigit():
        return _local(datetime.combine(date.fromisoformat(day), clock), zone)
    return _next(day, clock, now, zone)


def _clock_time(match: re.Match[str]) -> time:
    """The time of day; raises ValueError for one that no clock shows. Cut at microseconds."""
    if match["word"]:
        return time(12 if match["word"] == "noon" else 0)
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError
        hour = hour % 12 + (12 if match["half"] == "pm" else 0)
    microsecond = int((match["fraction"] or "0").ljust(6, "0")[:6])
    return time(hour, int(match["minute"] or 0), int(match["second"] or 0), microsecond)


def _at_offset(day: str, clock: time, offset: str) -> Moment:
    ahead = timedelta(0)
    if offset != "z":
        hours, minutes = int(offset[1:3]), int(offset[3:].lstrip(":") or 0)
        if hours > 23 or minutes > 59:
            raise ValueError
        ahead = timedelta(hours=hours, minutes=minutes) * (-1 if offset[0] == "-" else 1)
    local = datetime.combine(date.fromisoformat(day), clock, timezone(ahead))
    return Moment(local.astimezone(UTC))


def _next(day: str | None, clock: time, now: datetime, zone: ZoneInfo) -> Moment:
    """The time of day on `day`; on a weekday or without a day, the next time still to come."""
    today = now.astimezone(zone).date()
    if day in ("today", "tomorrow"):
        date_ = today + timedelta(days=1 if day == "tomorrow" else 0)
        return _local(datetime.combine(date_, clock), zone)
    ahead, step = (_SHORT_DAYS[day[:3]] - today.weekday()) % 7 if day else 0, 7 if day else 1
    moment = _local(datetime.combine(today + timedelta(days=ahead), clock), zone)
    if moment.instant <= now:
        moment = _local(datetime.combine(today + timedelta(days=ahead + step), clock), zone)
    return moment


_READERS: tuple[Callable[[str, datetime, ZoneInfo], Moment | None], ...] = (
    _read_now,
    _read_in,
    _read_day_time,
)
