"""A month as a grid, Monday to Sunday: days with the first of what fires on them.

A column is so wide as the terminal allows. In a wide one a firing takes a line, in a narrow one
two: its time and accounts, then its text. What has no room is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from postsched.cli.looks.agenda import Entry, Reader, entries
from postsched.cli.screen import cut, width_of

if TYPE_CHECKING:
    from postsched.cli.looks.palette import Palette
    from postsched.service.firings import Day

NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEK = 7
WIDE = 15
"""Columns of a day in which a firing takes one line."""
NARROWEST = 9
"""Columns of a day that are the least; below, days are listed instead."""
MOST_LINES = 6
"""Lines of a day below its number."""
MOST_ACCOUNTS = 3
"""Accounts of a firing that are marked, each."""

Words = list[tuple[str, str]]
"""The pieces of a line: texts and their styles."""


def column_width(width: int) -> int:
    """The columns of a day on a screen of that width."""
    return (width - (WEEK - 1)) // WEEK


@dataclass(frozen=True, slots=True)
class MonthGrid:
    """Draws the days of a month: all of it, from the first one on."""

    days: Sequence[Day]
    palette: Palette
    reader: Reader
    width: int
    signs: bool = True
    """Whether the encoding has lines to draw."""

    def drawn(self) -> Iterator[str]:
        """The grid, line by line."""
        paint = self.reader.screen.paint
        yield paint(" ".join(name.ljust(self.width) for name in NAMES).rstrip(), "bold")
        for week in self._weeks():
            rule = ("─" if self.signs else "-") * self.width
            yield paint(" ".join([rule] * WEEK), "dim")
            yield from self._week(week)

    def _weeks(self) -> Iterator[list[Day | None]]:
        """Rows of seven; without a day where another month's would be."""
        cells: list[Day | None] = [None] * self.days[0].date.weekday()
        cells += self.days
        cells += [None] * (-len(cells) % WEEK)
        for start in range(0, len(cells), WEEK):
            yield cells[start : start + WEEK]

    def _week(self, week: Sequence[Day | None]) -> Iterator[str]:
        cells = [[] if day is None else list(self._cell(day)) for day in week]
        for n in range(max(map(len, cells))):
            yield self._line([cell[n] if n < len(cell) else [] for cell in cells])

    def _line(self, row: Sequence[Words]) -> str:
        """Pieces side by side. On a terminal each begins at its column, whatever the terminal makes
        of the width of what stands before it."""
        paint, line, at = self.reader.screen.paint, "", 0
        for n, words in enumerate(row):
            if not words:
                continue
            start = n * (self.width + 1)
            line += " " * (start - at)
            if self.reader.screen.colour and not line.isascii():
                line += f"\x1b[{start + 1}G"
            line += "".join(paint(text, style) for text, style in words)
            at = start + sum(width_of(text) for text, _ in words)
        return line

    def _cell(self, day: Day) -> Iterator[Words]:
        yield self._number(day.date)
        found = list(entries(day.firings))
        unread = day.count - len(day.firings)
        tall = 1 if self.width >= WIDE else 2
        room = MOST_LINES // tall
        if len(found) > room or unread:
            room = (MOST_LINES - 1) // tall
        for entry in found[:room]:
            yield from self._entry(entry)
        left = sum(len(entry.accounts) for entry in found[room:]) + unread
        if left or day.crowded:
            sign = ">" if day.crowded else "+"
            words = (f"{sign}{left:,} more", f"{sign}{left:,}")
            yield [(next((one for one in words if len(one) <= self.width), words[1]), "dim")]

    def _number(self, day: date) -> Words:
        today = self.reader.today
        if day == today:
            return [(f" {day.day} today ", "reverse")]
        return [(str(day.day), "dim" if day < today else "bold")]

    def _entry(self, entry: Entry) -> Iterator[Words]:
        local = entry.firing.due_at.astimezone(self.reader.zone)
        status = self.palette.status(entry.firing)
        head: Words = [(f"{local:%H:%M}", status.style if status else "")]
        head.append((status.sign, status.style) if status else (" ", ""))
        marks = [self.palette.account(name) for name in entry.accounts]
        head += [(mark.sign, mark.style) for mark in marks[:MOST_ACCOUNTS]]
        head += [("+", "dim")] if len(marks) > MOST_ACCOUNTS else []
        text, style = in_cell(entry.firing.text), "dim" if entry.firing.paused else ""
        if self.width < WIDE:
            yield head
            yield [(cut(text, self.width), style)]
            return
        room = self.width - sum(width_of(piece) for piece, _ in head) - 1
        yield [*head, (" ", ""), (cut(text, room), style)]


def in_cell(text: str) -> str:
    """A text in one line, which moves nothing beside it."""
    words = " ".join(text.split())
    if words.isascii():
        return words
    from postsched.cli.looks.frame import END, ISOLATE, TURNING, safe

    words = safe(words)
    return f"{ISOLATE}{words}{END}" if TURNING.search(words) else words
