"""Pages for people: styled words, and tables that fit the terminal.

What a page shows may come from anywhere, so control characters are shown, not obeyed. Colour is
for terminals only, and not where NO_COLOR (no-color.org) is set. Rich could do all this, but takes
a quarter of the time of a command to load.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from postsched.cli.characters import without_controls

CODES = {"bold": "1", "dim": "2", "reverse": "7", "red": "31", "green": "32", "yellow": "33",
         "blue": "34", "magenta": "35", "cyan": "36"}  # fmt: skip
"""Style -> the parameter of the escape sequence (ECMA-48, SGR)."""
GAP = "  "
INDENT = "  "
JOINED = " \u200d"
"""What a text that is cut must not end with: the joiner would take up the ellipsis."""
NARROWEST = 12
SHRINKING = (("cut", 28), ("fold", 28), ("cut", NARROWEST), ("fold", NARROWEST))
"""The order in which cells give way, and the columns that they keep."""

Cell = tuple[str, str]
"""A text and its style: words of CODES."""
Group = tuple[Cell | None, Iterable[Sequence[Cell]]]
"""Rows of a table, and the line above them."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What a page is made for: its width in columns (None: it has no end), and whether it has
    colour."""

    width: int | None = None
    colour: bool = False

    def paint(self, text: str, style: str = "") -> str:
        """The text in that style."""
        clean = without_controls(text)
        if not self.colour or not style or not clean:
            return clean
        codes = ";".join(CODES[word] for word in style.split())
        return f"\x1b[{codes}m{clean}\x1b[0m"

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> str:
        """A table with a line of titles. A flexible column that is empty is left out."""
        return self.grouped(columns, [(None, rows)])

    def grouped(self, columns: Sequence[Column], groups: Iterable[Group]) -> str:
        """A table in groups of rows, indented below a line of their own, where they have one."""
        found = [(head, [_in_lines(row) for row in rows]) for head, rows in groups]
        indent = INDENT if any(head for head, _ in found) else ""
        every = [row for _, rows in found for row in rows]
        shown = [
            n
            for n, column in enumerate(columns)
            if not column.flexible or any(row[n][0] for row in every)
        ]
        columns = [columns[n] for n in shown]
        titles = [(column.title, "bold") for column in columns]
        grid = [[row[n] for n in shown] for row in every]
        widths = self._widths(columns, [titles, *grid], len(indent))
        lines = [indent + line for line in self._lines(columns, widths, titles)]
        for head, rows in found:
            lines += self._heading(head) if head else []
            for row in rows:
                cells = [row[n] for n in shown]
                lines += [indent + line for line in self._lines(columns, widths, cells)]
        return "\n".join(lines)

    def _heading(self, head: Cell) -> list[str]:
        """The line above a group, folded where it has no room; blanks before it stay."""
        text = head[0].lstrip(" ")
        blank = " " * (len(head[0]) - len(text))
        room = max((self.width or len(head[0])) - len(blank), NARROWEST)
        return [blank + self.paint(line, head[1]) for line in fold(text, room)]

    def _widths(
        self, columns: Sequence[Column], grid: Sequence[Sequence[Cell]], indent: int
    ) -> list[int]:
        widths = [max(width_of(row[n][0]) for row in grid) for n in range(len(columns))]
        if self.width is None:
            return [min(w, c.most or w) for w, c in zip(widths, columns, strict=True)]
        excess = sum(widths) + len(GAP) * (len(widths) - 1) + indent - self.width
        for way, least in SHRINKING:
            for n, column in enumerate(columns):
                if column.flexible == way and excess > 0:
                    spared = min(excess, max(widths[n] - least, 0))
                    widths[n] -= spared
                    excess -= spared
        return widths

    def _lines(
        self, columns: Sequence[Column], widths: Sequence[int], row: Sequence[Cell]
    ) -> list[str]:
        """A row: one line, or more where a cell is folded."""
        pieces = [
            fold(text, width) if column.flexible == "fold" else [cut(text, width)]
            for column, width, (text, _) in zip(columns, widths, row, strict=True)
        ]
        lines = []
        for n in range(max(map(len, pieces))):
            cells = []
            for column, width, piece, (_, style) in zip(columns, widths, pieces, row, strict=True):
                text = piece[n] if n < len(piece) else ""
                blank = " " * (width - width_of(text))
                words = self.paint(text, style)
                cells.append(blank + words if column.right else words + blank)
            lines.append(GAP.join(cells).rstrip())
        return lines


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. `flexible` is what becomes of a text that has no room; `most` is the
    room a text has where lines have no end."""

    title: str
    right: bool = False
    flexible: Literal["", "cut", "fold"] = ""
    most: int | None = None


def width_of(text: str) -> int:
    """The columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def cut(text: str, width: int) -> str:
    """The text, with an ellipsis at its end where it is wider than that."""
    if width_of(text) <= width:
        return text
    return f"{_head(text, width - 1).rstrip(JOINED)}…"


def fold(text: str, width: int) -> list[str]:
    """The text in lines of at most that width, parted between words where it can be."""
    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if width_of(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        while width_of(word) > width:
            head = _head(word, width)
            lines.append(head)
            word = word[len(head) :]
        line = word
    return [*lines, line]


def _head(text: str, width: int) -> str:
    """As much of the beginning as fits, a character at the least."""
    end = min(len(text), width)
    while end > 1 and width_of(text[:end]) > width:
        end -= 1
    return text[:end]


def _in_lines(row: Sequence[Cell]) -> list[Cell]:
    """The row with each text in one line."""
    return [(" ".join(text.split()), style) for text, style in row]
