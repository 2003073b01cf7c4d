"""A block of lines at the bottom of a terminal, redrawn in place, under lines that stay.

Lines that stay scroll away as usual and can be read and copied later. The block is never wider or
higher than the terminal, is written in one piece, and only where something in it has changed. A
terminal that became smaller has broken or moved the lines in a way of its own: then the screen is
cleared, and what was last on it is written again.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

REMEMBERED = 200
"""How many of the lines that stay can be written again."""
BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"
"""Around one picture; a terminal that knows them shows all of it at once."""
NO_WRAP, WRAP = "\x1b[?7l", "\x1b[?7h"
"""Around the block: where a terminal finds a character wider than we do, it cuts the line."""
ERASE_LINE, ERASE_BELOW, CLEAR = "\x1b[K", "\x1b[J", "\x1b[H\x1b[2J"


class Pane:
    """Draws on a terminal. `write` takes what it is to be sent, `size` gives columns and rows."""

    def __init__(self, write: Callable[[str], None], size: Callable[[], tuple[int, int]]) -> None:
        self._write, self._size = write, size
        self._console = Console(
            file=io.StringIO(), force_terminal=True, legacy_windows=False, highlight=False
        )
        self._block: list[Text] = []
        self._drawn_on = (0, 0)
        self._cleared = False
        self._recent: deque[Text] = deque(maxlen=REMEMBERED)

    def draw(self, staying: Sequence[Text], block: Sequence[Text]) -> None:
        """Write the lines that stay above the block, and the block anew."""
        columns, rows = size = self._size()
        shown = [_cut(line, columns) for line in block[: max(1, rows - 1)]]
        anew = bool(self._block) and self._is_torn(size)
        if not anew and not staying and shown == self._block:
            return
        self._recent.extend(staying)
        if anew:
            staying = _last(self._recent, columns, rows - len(shown))
        above = "".join(self._ansi(line) + "\r\n" for line in staying)
        lines = _joined([self._ansi(line) for line in shown])
        self._write(f"{BEGIN}{CLEAR if anew else self._top(above)}{above}{lines}{END}")
        self._block, self._drawn_on, self._cleared = shown, size, self._cleared or anew

    def _is_torn(self, size: tuple[int, int]) -> bool:
        """Whether a change of the terminal's size may have moved the block: not when it grew,
        unless it had been smaller before."""
        columns, rows = self._drawn_on
        return size != self._drawn_on and (self._cleared or size[0] < columns or size[1] < rows)

    def close(self, staying: Sequence[Text] = ()) -> None:
        """Take the block away, after the last lines that stay."""
        above = "".join(self._ansi(line) + "\r\n" for line in staying)
        self._write(f"{self._top('all')}{above}")
        self._block = []

    def forget(self) -> None:
        """Leave the block where it is, and draw the next one where the cursor stands then."""
        self._block = []

    def _top(self, above: str) -> str:
        """Go to the block's first line; where lines come before it, make room for them."""
        up = f"\x1b[{len(self._block) - 1}A" if len(self._block) > 1 else ""
        return f"\r{up}{ERASE_BELOW if above else ''}"

    def _ansi(self, line: Text) -> str:
        with self._console.capture() as capture:
            self._console.print(line, soft_wrap=True, end="")
        return capture.get()


def _joined(lines: Sequence[str]) -> str:
    """The block; the cursor is left in its last line."""
    text = "\r\n".join(line + ERASE_LINE for line in lines)
    return f"{NO_WRAP}{text}{ERASE_BELOW}{WRAP}\r"


def _cut(line: Text, columns: int) -> Text:
    """The line in one row, the last column free: writing there makes some terminals wrap."""
    cut = line.copy()
    cut.truncate(max(1, columns - 1), overflow="ellipsis")
    return cut


def _last(lines: Sequence[Text], columns: int, rows: int) -> list[Text]:
    """As many of the last lines as fit into so many rows."""
    found: list[Text] = []
    for line in reversed(lines):
        rows -= max(1, -(-line.cell_len // max(1, columns)))
        if rows < 0:
            break
        found.insert(0, line)
    return found


def terminal_size(descriptor: int) -> tuple[int, int]:
    """Columns and rows of the terminal."""
    try:
        found = os.get_terminal_size(descriptor)
    except OSError:
        return 80, 24
    return found.columns or 80, found.lines or 24  # a terminal that was never told its size says 0


def is_in_front(descriptor: int) -> bool:
    """Whether the terminal is ours: not when we run in its background, or were put there."""
    if sys.platform == "win32":
        return True
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return False


class Keyboard:
    """What is typed meanwhile is not shown, for a line break would tear the block apart; signals
    (Ctrl-C, Ctrl-Z) work as ever."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._before: list[Any] | None = None

    def still(self) -> None:
        """Show nothing from now on; where that can't be had, all stays as it is."""
        if sys.platform == "win32":
            return
        import termios

        with contextlib.suppress(OSError, termios.error):
            before = termios.tcgetattr(self._descriptor)
            self._before = self._before or before
            quiet = [*before]
            quiet[3] &= ~termios.ECHO
            termios.tcsetattr(self._descriptor, termios.TCSANOW, quiet)

    def restore(self) -> None:
        """As it was."""
        if sys.platform == "win32" or self._before is None:
            return
        import termios

        if is_in_front(self._descriptor):  # else it isn't ours to set, and we would be stopped
            with contextlib.suppress(OSError, termios.error):
                termios.tcsetattr(self._descriptor, termios.TCSANOW, self._before)
