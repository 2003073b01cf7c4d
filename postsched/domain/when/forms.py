"""The usual forms of a time: a small strict grammar.

It reads `now`; `in 2 hours`; and a time of day (`14:30`, `9am`, `noon`) alone or after a day
(`2026-12-01`, `today`, `tomorrow`, `fri`). In `in N …`, days and weeks are calendar days in the
zone, so the time of day stays; hours, minutes and seconds are exact. Another form is another
function in `_READERS`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from fractions import Fraction
from typing import TYPE_CHECKING

from postsched.domain.errors import InvalidInput
from postsched.domain.when.moment import WEEKDAYS, Moment, NotUnderstood, at_local

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo


def read_form(phrase: str, now: datetime, zone: ZoneInfo) -> Moment | None:
    """The moment of a phrase (lower case, single spaces) that is a usual form, None if it isn't.

    Raises InvalidInput for a day without a time, NotUnderstood for what may mean two times, and
    ValueError or OverflowError for a time that doesn't exist.
    """
    for read in _READERS:
        moment = read(phrase, now, zone)
        if moment is not None:
            return moment
    return None


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
        moment = at_local(local + timedelta(days=int(days)), zone)
    exact = sum(round(count * _MICROSECONDS[unit]) for unit, count in amounts.items())
    instant = moment.instant + timedelta(microseconds=exact)
    return replace(moment, instant=instant, local=None if exact else moment.local)


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
    if ":" not in phrase and re.fullmatch(_DAY, phrase):
        raise InvalidInput(
            f"{phrase!r} is a day without a time", f"Add a time of day, such as '{phrase} 09:00'"
        )
    match = _DAY_TIME.fullmatch(phrase)
    if match is None or not (match["word"] or match["minute"] or match["half"]):
        return None
    clock, day = _clock_time(match), match["day"]
    if day and match["word"] == "midnight":
        raise midnight_of(day)
    if match["offset"]:
        return _at_offset(day, clock, match["offset"]) if day and day[0].isdigit() else None
    if day and day[0].isdigit():
        return at_local(datetime.combine(date.fromisoformat(day), clock), zone)
    return _next(day, clock, now, zone)


def midnight_of(day: str) -> NotUnderstood:
    """The refusal of midnight on a day: some mean its start, some its end."""
    return NotUnderstood(
        f"midnight of {day!r} may be its start or its end",
        "Write 00:00 and the day that begins then, or 23:59",
    )


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
        return at_local(datetime.combine(date_, clock), zone)
    ahead, step = (_SHORT_DAYS[day[:3]] - today.weekday()) % 7 if day else 0, 7 if day else 1
    moment = at_local(datetime.combine(today + timedelta(days=ahead), clock), zone)
    if moment.instant <= now:
        moment = at_local(datetime.combine(today + timedelta(days=ahead + step), clock), zone)
    return moment


_READERS: tuple[Callable[[str, datetime, ZoneInfo], Moment | None], ...] = (
    _read_now,
    _read_in,
    _read_day_time,
)
