"""Noticing what no wake-up told of: writes of others to the database, a clock that was set, a
laptop that slept."""

from __future__ import annotations

import os
from pathlib import Path

from postsched.engine.clock import Clock

EVERY = 30.0
"""Seconds between looks. A look is two `stat` calls and no query."""
JUMP = 0.5
"""Seconds by which the wall clock may wander from the monotonic one between looks."""


class Watch:
    """Remembers how the database files and the clocks stood at the last look, of which there is
    one `every` so many seconds."""

    def __init__(self, database: Path | None, clock: Clock, every: float = EVERY) -> None:
        self._files = (
            [database, database.with_name(database.name + "-wal")] if database is not None else []
        )
        self._clock = clock
        self._every = every
        self._due = clock.monotonic() + every
        self._offset = self._wall_offset()
        self._seen: object = None

    def is_due(self) -> bool:
        """Whether it is time for a look."""
        return self._clock.monotonic() >= self._due

    def seconds_left(self) -> float:
        """Seconds to the next look."""
        return max(0.0, self._due - self._clock.monotonic())

    def remember(self) -> None:
        """Take the files as known: to be called before reading them, so that what is written
        meanwhile counts as new."""
        self._seen = self._state()

    def changed(self) -> bool:
        """Look: whether others may have written, or the clock was set, since the last time. Of a
        database server that can't be told from outside: it is asked."""
        self._due = self._clock.monotonic() + self._every
        offset = self._wall_offset()
        jumped = abs(offset - self._offset) > JUMP
        self._offset = offset
        return jumped or not self._files or self._state() != self._seen

    def _wall_offset(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()

    def _state(self) -> object:
        return tuple(_stamp(path) for path in self._files)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
