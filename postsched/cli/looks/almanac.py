"""A month or a week on a page: a grid of days or a list of them, and what the marks mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postsched.cli.looks.agenda import Reader, change_text
from postsched.cli.looks.month import NARROWEST, WEEK, MonthGrid, column_width
from postsched.cli.looks.palette import Mark, Palette
from postsched.cli.looks.week import day_list
from postsched.cli.screen import fold, width_of
from postsched.domain.clock_changes import clock_changes

if TYPE_CHECKING:
    from postsched.service.firings import Day

USUAL, WIDEST = 80, 200
"""Columns: where there is no terminal, and at the most."""


@dataclass(frozen=True, slots=True)
class Almanac:
    """Draws the days, which are a week or a month. `signs`: whether the encoding has lines and
    signs to draw."""

    title: str
    days: Sequence[Day]
    reader: Reader
    signs: bool = True

    def lines(self) -> Iterator[str]:
        """The page, line by line."""
        paint = self.reader.screen.paint
        yield f"{paint(self.title, 'bold')}  {paint(self.reader.zone.key, 'dim')}"
        yield ""
        palette = self._palette()
        yield from self._drawn(palette)
        below = [*self._legend(palette.legend), *self._changes()]
        if not any(day.count for day in self.days):
            below.append("Nothing is here")
        if below:
            yield from ("", *below)

    @property
    def _width(self) -> int:
        return min(self.reader.screen.width or USUAL, WIDEST)

    def _palette(self) -> Palette:
        shown = (firing for day in self.days for firing in day.firings)
        colour = self.reader.screen.colour
        return Palette(shown, self.reader.now, colour=colour, signs=self.signs)

    def _drawn(self, palette: Palette) -> Iterator[str]:
        week, column = len(self.days) <= WEEK, column_width(self._width)
        if not week and column >= NARROWEST:
            yield from MonthGrid(self.days, palette, self.reader, column, self.signs).drawn()
        elif week or any(day.count for day in self.days):
            yield day_list(self.days, palette, self.reader, empty=week)

    def _legend(self, marks: Sequence[Mark]) -> Iterator[str]:
        """What the marks mean, in as many lines as it takes."""
        paint, line, used = self.reader.screen.paint, "", 0
        for mark in marks:
            size = width_of(mark.sign) + 1 + width_of(mark.meaning)
            if line and used + 3 + size > self._width:
                yield line
                line, used = "", 0
            gap = "   " if line else ""
            line += f"{gap}{paint(mark.sign, mark.style)} {paint(mark.meaning)}"
            used += len(gap) + size
        if line:
            yield line

    def _changes(self) -> Iterator[str]:
        """The changes of the clocks in those days."""
        from postsched.service.firings import day_windows

        windows = day_windows(self.days[0].date, len(self.days), self.reader.zone)
        for change in clock_changes(self.reader.zone, windows[0].start, windows[-1].end):
            for line in fold(change_text(change), self._width):
                yield self.reader.screen.paint(line, "yellow")
