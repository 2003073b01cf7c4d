"""The time, passed in: real in the program, set by hand in tests."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from postsched.store.database import Database


class Clock(Protocol):
    """What the engine knows of time."""

    def now(self) -> datetime:
        """The instant, aware, UTC."""

    def monotonic(self) -> float:
        """Seconds that only ever grow; they stand still while a laptop is suspended."""

    def adjust(self, database: Database) -> None:
        """Compare the time with the database server's, if it is that one's."""


NEAR = 0.0015
"""Seconds before an instant in which the event loop is turned instead of its timer set: timers are
only good to a millisecond."""
STEP = 0.05
"""Seconds that are slept at a time: the clock may be set meanwhile."""
FAR = 1.0
"""Seconds to wait that can only mean that the clock was set back."""


async def wait_until(instant: datetime, clock: Clock) -> bool:
    """Wait until the clock shows `instant`, to a fraction of a millisecond, never returning
    early; False if it turns out to be far off."""
    while (left := (instant - clock.now()).total_seconds()) > 0:
        if left > FAR:
            return False
        await asyncio.sleep(0 if left <= NEAR else min(left - NEAR, STEP))
    return True


def clock_of(database: Database) -> Clock:
    """The clock by which deliveries of a database are due."""
    return SystemClock() if database.path is not None else ServerClock()


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The instant, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()

    def adjust(self, database: Database) -> None:
        """It is this machine's, and stays so."""


class ServerClock(SystemClock):
    """The clock of a database server, by which all its workers go, whatever their machines show:
    the machine's own, and by how much it differs, measured from time to time."""

    def __init__(self) -> None:
        self._offset = timedelta()

    def now(self) -> datetime:
        """The instant, aware, UTC."""
        return super().now() + self._offset

    def adjust(self, database: Database) -> None:
        """Raises StoreUnavailable."""
        database.measure(super().now)
        self._offset = database.offset
