"""Writing aside: in a thread of its own, so that a reader that stops reading (a pager, a terminal
after Ctrl-S) never holds up a post."""

from __future__ import annotations

import logging
import os
import threading
from queue import SimpleQueue
from typing import TextIO

UNWRITTEN = 10_000
"""How many log lines wait for the reader; further ones are counted, and their number is told."""
PATIENCE = 3.0
"""Seconds to wait for the reader at the end."""


class Writer:
    """Writes to what is behind a stream, past its buffer, whose lock a stuck write would hold. A
    reader that is gone is no error."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        try:
            self._descriptor: int | None = stream.fileno()
        except (OSError, AttributeError):
            self._descriptor = None  # no file: a stand-in for one

    def __call__(self, text: str) -> None:
        if self._descriptor is None:
            self._stream.write(text)
            return
        left = memoryview(text.encode(self._stream.encoding, "replace"))
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            return


class Aside(logging.Handler):
    """Writes log lines to a stream, until `finish`."""

    def __init__(self, stream: TextIO, form: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(form)
        self._write, self._left_out = Writer(stream), 0
        self._records: SimpleQueue[logging.LogRecord | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="postsched-log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record; never waits."""
        if self._records.qsize() < UNWRITTEN:
            self._records.put(record)
        else:
            self._left_out += 1

    def finish(self) -> None:
        """Write what is left, for as long as somebody reads it."""
        self._records.put(None)
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        while (record := self._records.get()) is not None:
            self._write(self.format(record) + "\n")
            if self._left_out and self._records.empty():
                self._write(f"{self._left_out} log lines were left out: nobody read them\n")
                self._left_out = 0
