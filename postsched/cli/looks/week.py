"""Days in lists: a week, and a month where a grid has no room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from postsched.cli.looks.agenda import Entry, Reader, apart, clock_text, day_heading, entries
from postsched.cli.screen import Cell, Column, Group

if TYPE_CHECKING:
    from postsched.cli.looks.palette import Palette
    from postsched.service.firings import Day

COLUMNS = (
    Column("WHEN"),
    Column(""),
    Column("ACCOUNT"),
    Column("POST", right=True),
    Column("TEXT", flexible="cut", most=60),
    Column("NOTE", flexible="fold"),
)
MOST = 20
"""Firings of a day that are listed."""


def day_list(days: Sequence[Day], palette: Palette, reader: Reader, *, empty: bool) -> str:
    """The days with what fires on them; those with nothing only if `empty`."""
    shown = [day for day in days if day.count or empty]
    return reader.screen.grouped(COLUMNS, _groups(shown, palette, reader))


def _groups(days: Sequence[Day], palette: Palette, reader: Reader) -> Iterator[Group]:
    for day in days:
        heading = day_heading(day.date, reader.today)
        style = "bold reverse" if day.date == reader.today else "bold"
        found = list(entries(day.firings))
        left = sum(len(entry.accounts) for entry in found[MOST:]) + day.count - len(day.firings)
        yield (
            (heading, style if day.count else "dim"),
            [_row(entry, palette, reader) for entry in found[:MOST]],
        )
        if left or day.crowded:
            yield (f"  +{left:,}{' or more' if day.crowded else ' more'}", "dim"), ()


def _row(entry: Entry, palette: Palette, reader: Reader) -> tuple[Cell, ...]:
    firing = entry.firing
    status, local = palette.status(firing), firing.due_at.astimezone(reader.zone)
    style = palette.account(entry.accounts[0]).style if len(entry.accounts) == 1 else ""
    return (
        (clock_text(local), ""),
        (status.sign, status.style) if status else ("", ""),
        (", ".join(entry.accounts), style),
        (str(firing.post_id), ""),
        (firing.text, "dim" if firing.paused else ""),
        (" ".join(apart(firing)), "yellow" if firing.change else ""),
    )
