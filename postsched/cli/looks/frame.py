"""A frame around lines: its edges stay straight whatever is in them.

Emoji, and writing from right to left, are not the same width or order on every terminal. So on a
terminal the right edge is put where it belongs by its column, and each line from right to left is
isolated (UAX #9).
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from postsched.cli.screen import cut, width_of

ISOLATE, END = "\u2066", "\u2069"
TURNING = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff"
                     "\U0001e800-\U0001efff\u200e\u200f]")  # fmt: skip
"""Writing from right to left, and its marks."""
SIGNS = str.maketrans("┌│└·•✓↻✗↗╌✂…⋯“”×", '+|+-*v~x>-%..""x')
_LAWLESS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that would turn what stands beside them, or end our isolation."""
ROUND = tuple("╭╮╰╯├┤─│")
ASCII = tuple("++++++-|")


@dataclass(frozen=True, slots=True)
class Canvas:
    """What is drawn on: so many columns, in colour or not, with lines or, where the encoding has
    none, with what ASCII has."""

    width: int
    colour: bool = False
    lines: bool = True

    @property
    def inner(self) -> int:
        """The columns inside of a frame."""
        return self.width - 4


class Frame:
    """A frame in a colour with a title in its upper edge, and sections."""

    def __init__(self, canvas: Canvas, colour: str) -> None:
        self._canvas, self._colour = canvas, colour
        signs = ROUND if canvas.lines else ASCII
        self._top, self._rest, self._low, self._last = signs[:4]
        self._left, self._right, self._flat, self._side = signs[4:]
        self._rows: list[Text] = []

    def begin(self, title: Text, verdict: Text) -> None:
        """The upper edge."""
        most = self._canvas.inner - verdict.cell_len - 2
        if title.cell_len > most:
            title = Text(cut(title.plain, max(most, 1)), style=title.style)
        gap = self._canvas.width - title.cell_len - verdict.cell_len - 8
        row = Text.assemble((f"{self._top}{self._flat} ", self._colour), title, " ",
                            (self._flat * max(gap, 0), self._colour), " ", verdict, " ",
                            (f"{self._flat}{self._rest}", self._colour))  # fmt: skip
        self._rows.append(row)

    def section(self, title: str = "") -> None:
        """An edge across."""
        words = f" {cut(title, self._canvas.inner - 2)} " if title else ""
        rest = self._flat * (self._canvas.width - 3 - width_of(words))
        self._rows.append(Text(f"{self._left}{self._flat}{words}{rest}{self._right}", self._colour))

    def end(self) -> None:
        """The lower edge."""
        row = f"{self._low}{self._flat * (self._canvas.width - 2)}{self._last}"
        self._rows.append(Text(row, self._colour))

    def put(self, lines: Iterable[Text]) -> None:
        """Lines inside, of which none is wider than there is room."""
        for line in lines:
            line = line.copy()
            line.truncate(self._canvas.inner)
            blank = self._canvas.inner - line.cell_len
            if TURNING.search(line.plain):
                line = Text.assemble(ISOLATE, line, END)
            column = f"\x1b[{self._canvas.width}G" if self._canvas.colour else ""
            row = Text.assemble((f"{self._side} ", self._colour), line, " " * (blank + 1))
            row.append(f"{column}{self._side}", self._colour)
            self._rows.append(row)

    def drawn(self) -> str:
        """All of it, as text or with escape sequences."""
        return "\n".join(_written(self._rows, self._canvas))


def _written(rows: Sequence[Text], canvas: Canvas) -> list[str]:
    if not canvas.colour:
        return [_plainly(row.plain, canvas).rstrip() for row in rows]
    console = Console(file=io.StringIO(), force_terminal=True, legacy_windows=False,
                      highlight=False, width=canvas.width + 20)  # fmt: skip
    found = []
    for row in rows:
        with console.capture() as capture:
            console.print(row, soft_wrap=True, end="")
        found.append(capture.get())
    return found


def _plainly(text: str, canvas: Canvas) -> str:
    """The text with our own signs in ASCII, where the encoding has no others."""
    return text if canvas.lines else text.translate(SIGNS)


def safe(text: str) -> str:
    """The text as it can be drawn: what would move the cursor or turn the line is shown or left
    out, a tab is four spaces."""
    from postsched.cli.characters import without_controls

    lines = text.replace("\t", "    ").replace("\r\n", "\n")
    return "".join(c for c in without_controls(lines) if c == "\n" or _has_place(c))


def _has_place(character: str) -> bool:
    return character not in _LAWLESS and unicodedata.category(character) not in ("Zl", "Zp")
