"""A terminal to look at: a small one of our own that understands what our live view sends, and a
program that runs on one."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Self

from rich.cells import cell_len

SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|(\r\n|\r|\n)|([^\x1b\r\n])|(\x1b)", re.DOTALL)
PATIENCE = 30.0


class Terminal:
    """Columns and rows, with what has scrolled away above. Of ECMA-48 it knows CUU, CUP, ED, EL
    and SGR, and of DEC's modes 7 (wrap) and 2026 (one picture at a time)."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self.columns, self.rows = columns, rows
        self.gone: list[str] = []
        self._grid: list[list[str]] = [self._blank() for _ in range(rows)]
        self._x = self._y = 0
        self._wraps, self._pending = True, False
        self._rest = ""

    @property
    def lines(self) -> list[str]:
        """What is on the screen, without blanks at the ends and empty lines below."""
        lines = ["".join(row).rstrip() for row in self._grid]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    @property
    def text(self) -> str:
        """All that can be read, what has scrolled away included."""
        return "\n".join([*self.gone, *self.lines])

    def resize(self, columns: int, rows: int) -> None:
        """Become larger or smaller, as terminals do that break long lines anew."""
        lines = [*self.gone, *self.lines]
        broken = [piece for line in lines for piece in _pieces(line, columns)]
        self.columns, self.rows = columns, rows
        height = max(1, min(rows, len(broken)))
        self.gone, shown = broken[:-height], broken[-height:]
        self._grid = [self._row(line) for line in shown]
        self._grid += [self._blank() for _ in range(rows - len(shown))]
        self._x, self._y = 0, max(0, len(shown) - 1)

    def feed(self, text: str) -> None:
        """Show what a program wrote."""
        text = self._rest + text
        cut = text.rfind("\x1b")
        unfinished = cut >= 0 and not re.match(r"\x1b\[[?0-9;]*[A-Za-z]", text[cut:])
        text, self._rest = (text[:cut], text[cut:]) if unfinished else (text, "")
        for numbers, letter, line_break, character, _ in SEQUENCE.findall(text):
            if character:
                self._put(character)
            elif line_break:
                self._break(line_break)
            elif letter:
                self._obey(numbers, letter)

    def _obey(self, numbers: str, letter: str) -> None:
        if (numbers, letter) in (("?7", "h"), ("?7", "l")):
            self._wraps = letter == "h"
        elif letter == "A":
            self._y, self._pending = max(0, self._y - int(numbers or 1)), False
        elif letter == "H":
            self._x = self._y = 0
        elif letter == "J":
            first = 0 if numbers == "2" else self._y + 1
            if not numbers:
                self._erase_line()
            for y in range(first, self.rows):
                self._grid[y] = self._blank()
        elif letter == "K":
            self._erase_line()
        else:
            assert letter == "m" or numbers == "?2026", f"unknown: {numbers}{letter}"

    def _erase_line(self) -> None:
        self._grid[self._y][self._x :] = [" "] * (self.columns - self._x)

    def _break(self, characters: str) -> None:
        self._pending = False
        if "\r" in characters:
            self._x = 0
        if "\n" in characters:
            self._down()

    def _down(self) -> None:
        if self._y < self.rows - 1:
            self._y += 1
            return
        self.gone.append("".join(self._grid.pop(0)).rstrip())
        self._grid.append(self._blank())

    def _put(self, character: str) -> None:
        width = cell_len(character)
        if width == 0:
            return
        if self._wraps and (self._pending or self._x + width > self.columns):
            self._x, self._pending = 0, False
            self._down()
        x = min(self._x, self.columns - width)
        self._grid[self._y][x : x + width] = [character] + [""] * (width - 1)
        self._pending = x + width == self.columns
        self._x = min(x + width, self.columns - 1)

    def _blank(self) -> list[str]:
        return [" "] * self.columns

    def _row(self, line: str) -> list[str]:
        cells = [cell for c in line for cell in ([c] + [""] * (cell_len(c) - 1))]
        return (cells + self._blank())[: self.columns]


def _pieces(line: str, columns: int) -> list[str]:
    pieces = [""]
    for character in line:
        if cell_len(pieces[-1] + character) > columns:
            pieces.append("")
        pieces[-1] += character
    return pieces


class OnTerminal:
    """A program that runs on a terminal: `with OnTerminal(command, environ) as program:`.

    While `reading` is cleared nobody takes what it writes, as after Ctrl-S.
    """

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], columns: int = 80, rows: int = 24
    ) -> None:
        self.screen = Terminal(columns, rows)
        self.sent = ""
        self.reading = threading.Event()
        self.reading.set()
        self._command, self._environ = list(command), {"TERM": "xterm-256color", **environ}
        self._ours, self._its = pty.openpty()
        self._lock = threading.Lock()
        self._set_size(columns, rows)

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self._command, env=self._environ, stdin=self._its, stdout=self._its, stderr=self._its,
            preexec_fn=_take_terminal, start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._its)
        self.reading.set()
        # The next terminal may get the same number: it must find nobody reading from it.
        self._reader.join(PATIENCE)
        assert not self._reader.is_alive(), "a child of the program still holds its terminal"
        os.close(self._ours)

    @property
    def lines(self) -> list[str]:
        """What is on the screen."""
        with self._lock:
            return self.screen.lines

    @property
    def text(self) -> str:
        """All that it has shown."""
        with self._lock:
            return self.screen.text

    @property
    def echoes(self) -> bool:
        """Whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self._its)[3] & termios.ECHO)

    def wait_for(self, condition: str | Callable[[], bool]) -> None:
        """Wait until something is to be read, or holds."""
        deadline = time.monotonic() + PATIENCE
        while not (condition in self.text if isinstance(condition, str) else condition()):
            assert time.monotonic() < deadline, f"not seen: {condition}\n{self.text}"
            time.sleep(0.01)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._ours, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Make the terminal larger or smaller."""
        with self._lock:
            self.screen.resize(columns, rows)
            self._set_size(columns, rows)

    def end(self) -> int:
        """Wait for the program's end; its exit code."""
        return self.process.wait(PATIENCE)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._its, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")()
        while True:
            self.reading.wait()
            try:
                text = decoder.decode(os.read(self._ours, 65536))
            except OSError:
                return
            with self._lock:
                self.sent += text
                self.screen.feed(text)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
