"""The time, passed in: real in the program, set by hand in tests."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the engine knows of time."""

    def now(self) -> datetime:
        """The instant, aware, UTC."""

    def monotonic(self) -> float:
        """Seconds that only ever grow; they stand still while a laptop is suspended."""


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


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The instant, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()
