"""Noticing that the tz database has changed while this process runs, for months maybe."""

from __future__ import annotations

from postsched.domain import zone_files
from postsched.engine.clock import Clock

EVERY = 3600.0
"""Seconds between looks. A look is a few `stat` calls, at a wake-up that comes anyway."""


class ZoneWatch:
    """Remembers how the files of the tz database stood at the last look."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due = clock.monotonic() + EVERY
        self._names = zone_files.known()
        self._seen = zone_files.signature(self._names)

    def changed(self) -> bool:
        """Whether it has changed since the last look; not looked at more often than that."""
        if self._clock.monotonic() < self._due:
            return False
        self._due = self._clock.monotonic() + EVERY
        changed = zone_files.signature(self._names) != self._seen
        self._names = zone_files.known()
        self._seen = zone_files.signature(self._names)
        return changed

    def look_again(self, seconds: float) -> None:
        """What came of it could not be done: say so again in so many seconds."""
        self._due = self._clock.monotonic() + seconds
        self._seen = None
