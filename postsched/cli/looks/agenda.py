"""Firings in lines: as `next` and a week show them, by day, with the changes of the clocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby, islice
from typing import TYPE_CHECKING

from postsched.cli.screen import Cell, Column, Group, Screen
from postsched.domain.clock_changes import Change, clock_changes
from postsched.domain.delivery import DeliveryStatus
from postsched.domain.duration import distance
from postsched.domain.firing import Firing
from postsched.domain.when.moment import MONTHS, WEEKDAYS
from postsched.domain.zones import ClockChange

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

COLUMNS = (
    Column("WHEN"),
    Column("IN", right=True),
    Column("ACCOUNT"),
    Column("POST", right=True),
    Column("TEXT", flexible="cut", most=60),
    Column("NOTE", flexible="fold"),
)
STYLES = {"published": "green", "failed": "bold red", "missed": "bold red",
          "unconfirmed": "bold red"}  # fmt: skip
CHANGES = {
    ClockChange.SKIPPED: "clock change: later",
    ClockChange.REPEATED: "clock change: first of two",
}
DAY = timedelta(days=1)
MOST_CHANGES = 2
"""Clock changes between two firings that are all said."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Firings that differ in nothing but their account."""

    firing: Firing
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks: when, from which zone, and on which screen."""

    now: datetime
    zone: ZoneInfo
    screen: Screen

    @property
    def today(self) -> date:
        """The day it is there."""
        return self.now.astimezone(self.zone).date()


def entries(firings: Iterable[Firing]) -> Iterator[Entry]:
    """The firings, those of one post at one time together."""
    for _, group in groupby(firings, key=_likeness):
        alike = list(group)
        yield Entry(alike[0], tuple(firing.account for firing in alike))


def _likeness(firing: Firing) -> tuple[object, ...]:
    return (firing.due_at, firing.post_id, firing.text, firing.status, firing.paused,
            firing.moved, firing.reworded, firing.change)  # fmt: skip


def agenda(firings: Iterable[Firing], reader: Reader) -> str:
    """All of them: on a terminal by day, elsewhere each in a line that says all."""
    by_day = reader.screen.width is not None
    return reader.screen.grouped(COLUMNS, _groups(list(entries(firings)), reader, by_day))


def _groups(found: Sequence[Entry], reader: Reader, by_day: bool) -> Iterator[Group]:
    """Days, and changes of the clocks between them."""
    before, day = reader.now, None
    for entry in found:
        at = entry.firing.due_at
        local = at.astimezone(reader.zone).date()
        changes = list(_changes(reader.zone, before, at))
        for instant, sentence in changes:
            if instant.astimezone(reader.zone).date() != local:
                yield (sentence, "yellow"), ()
        if by_day and local != day:
            yield (day_heading(local, reader.today), "bold"), ()
        for instant, sentence in changes:
            if instant.astimezone(reader.zone).date() == local:
                yield (sentence, "yellow"), ()
        yield None, [_row(entry, reader, by_day)]
        before, day = max(before, at), local


def _row(entry: Entry, reader: Reader, by_day: bool) -> tuple[Cell, ...]:
    firing = entry.firing
    return (
        (_when(firing.due_at, reader, by_day), ""),
        (_how_far(firing.due_at - reader.now), ""),
        (", ".join(entry.accounts), ""),
        (str(firing.post_id), ""),
        (firing.text, ""),
        note(firing, reader.now),
    )


def _how_far(length: timedelta) -> str:
    """`2 hours 5 minutes`; beyond a day in days, for its name is beside it."""
    if abs(length) >= DAY:
        whole = DAY * (abs(length) // DAY)
        length = whole if length > timedelta(0) else -whole
    return distance(length).removeprefix("in ")


def _when(instant: datetime, reader: Reader, by_day: bool) -> str:
    local = instant.astimezone(reader.zone)
    clock = clock_text(local)
    if by_day:
        return f"{clock} {zone_text(local)}"
    return f"{day_name(local.date())} {local.year} {clock} {zone_text(local)}"


def note(firing: Firing, now: datetime) -> Cell:
    """What sets a firing apart, in the style of the gravest."""
    waits = firing.status is DeliveryStatus.SCHEDULED
    words = [] if waits else [firing.status.value]
    style = "" if waits else STYLES.get(firing.status.value, "yellow")
    if waits and firing.paused:
        words, style = ["paused"], "yellow"
    elif waits and firing.due_at < now:
        words, style = ["overdue"], "bold red"
    words += apart(firing)
    return ", ".join(words).replace(", (", " ("), style or ("yellow" if firing.change else "")


def apart(firing: Firing) -> list[str]:
    """What sets it apart from the others of its series, and from what was meant."""
    words = ["(moved)"] if firing.moved else []
    words += ["(own text)"] if firing.reworded else []
    return words + ([CHANGES[firing.change]] if firing.change else [])


def day_heading(day: date, today: date) -> str:
    """`Today, Sun 22 Nov`; the year where it is another."""
    names = {0: "Today, ", 1: "Tomorrow, ", -1: "Yesterday, "}
    year = "" if day.year == today.year else f" {day.year}"
    return f"{names.get((day - today).days, '')}{day_name(day)}{year}"


def day_name(day: date) -> str:
    """`Sun 22 Nov`."""
    return f"{WEEKDAYS[day.weekday()][:3]} {day.day} {MONTHS[day.month - 1]}"


def clock_text(local: datetime) -> str:
    """The time of day, with seconds where there are any."""
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


def zone_text(local: datetime) -> str:
    """`CET`; where a zone has no such name its offset: `UTC+03`."""
    name = local.tzname() or "UTC"
    return f"UTC{name}" if name[0] in "+-" else name


def _changes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[tuple[datetime, str]]:
    """The changes of the clocks between two instants, with a sentence on each; of many the first
    ones."""
    found = clock_changes(zone, start, end)
    for change in islice(found, MOST_CHANGES):
        yield change.instant, change_text(change)
    if (more := next(found, None)) is not None:
        yield more.instant, f"The clocks change {1 + sum(1 for _ in found)} more times before that"


def change_text(change: Change) -> str:
    """`Clocks go back 1 hour on Sun 25 Oct 2026: 03:00 CEST is 02:00 CET`."""
    length = distance(abs(change.by)).removeprefix("in ")
    way = "forward" if change.by > timedelta(0) else "back"
    before, after = change.before, change.after
    day = f"{day_name(after.date())} {after.year}"
    if not change.by:
        return f"The zone changes its name on {day}"
    earlier = zone_text((change.instant - timedelta(seconds=1)).astimezone(change.zone))
    return (
        f"Clocks go {way} {length} on {day}: "
        f"{clock_text(before)} {earlier} is {clock_text(after)} {zone_text(after)}"
    )
