"""The daemon's sign of life: an address is called while all is well, so that somebody hears of it
when the daemon hangs, is gone, or can't use its database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger("postsched.notify")
EVERY = 60.0
"""Seconds between two signs."""


class Pulse:
    """Calls `beat`, which says what went wrong, while `well` holds."""

    def __init__(
        self,
        beat: Callable[[], Awaitable[str | None]],
        well: Callable[[], Awaitable[bool]],
        every: float = EVERY,
    ) -> None:
        self._beat = beat
        self._well = well
        self._every = every
        self._said = ""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._go_on())

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _go_on(self) -> None:
        while True:
            if await self._well():
                self._say(await self._beat() or "")
            await asyncio.sleep(self._every)

    def _say(self, problem: str) -> None:
        """Once for each outage: the alarm is elsewhere."""
        if problem and not self._said:
            log.warning("no sign of life could be given: %s", problem)
        self._said = problem
