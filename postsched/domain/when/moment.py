"""A moment: the instant that a person's words mean, and saying an instant back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from postsched.domain.duration import distance
from postsched.domain.errors import InvalidInput
from postsched.domain.zones import ClockChange, resolve

if TYPE_CHECKING:
    from datetime import date, datetime, time
    from zoneinfo import ZoneInfo

EXAMPLES = "now, 2026-12-01T09:00, 14:30, in 2 hours, tomorrow 9am or fri 14:30"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant (aware, UTC). `note` is a sentence on what a clock change made of the time;
    `local` the local time that was named (naive), None where an instant was: now, an offset."""

    instant: datetime
    note: str | None = None
    local: datetime | None = None


class PastTime(InvalidInput):
    """The text was understood, as `moment`, and lies in the past."""

    def __init__(self, message: str, moment: Moment) -> None:
        super().__init__(message, "Give a time to come, or now")
        self.moment = moment


class NotUnderstood(Exception):
    """A part of the text can't be told for certain: `part` says which and why; `hint` what to
    write instead, None for the usual examples. It never leaves `understand`."""

    def __init__(self, part: str | None = None, hint: str | None = None) -> None:
        super().__init__(part)
        self.part, self.hint = part, hint


def describe(instant: datetime, now: datetime, zone: ZoneInfo) -> str:
    """An instant with zone and distance: "Fri 27 Nov 2026, 14:30 CET, in 5 days".

    Of a fraction of a second it says what people give, whole milliseconds; what is finer comes of
    a clock that was read, and is left out.
    """
    local = instant.astimezone(zone)
    name = local.tzname() or "UTC"
    name = f"UTC{name}" if name[0] in "+-" else name
    return f"{day_text(local)}, {time_text(local)} {name}, {distance(instant - now)}"


def day_text(local: date) -> str:
    """The day in English, whatever the locale."""
    weekday, month = WEEKDAYS[local.weekday()][:3], MONTHS[local.month - 1]
    return f"{weekday} {local.day} {month} {local.year}"


def time_text(clock: time | datetime) -> str:
    """A time of day as people give it; of a fraction whole milliseconds, what is finer comes of a
    clock."""
    text = f"{clock:%H:%M}"
    if clock.second or (clock.microsecond and not clock.microsecond % 1000):
        text += f":{clock.second:02}"
    if clock.microsecond and not clock.microsecond % 1000:
        text += f".{clock.microsecond:06}".rstrip("0")
    return text


def at_local(local: datetime, zone: ZoneInfo) -> Moment:
    """The moment of a naive local time, with a note where the clocks are changed."""
    instant, change = resolve(local, zone)
    if change is ClockChange.SKIPPED:
        moved = instant.astimezone(zone)
        return Moment(
            instant,
            f"{day_text(local)}, {time_text(local)} is skipped by a clock change in {zone.key}: "
            f"it becomes {day_text(moved)}, {time_text(moved)}",
            local,
        )
    if change is ClockChange.REPEATED:
        return Moment(
            instant,
            f"{day_text(local)}, {time_text(local)} comes twice by a clock change in {zone.key}: "
            "the first is taken",
            local,
        )
    return Moment(instant, local=local)
