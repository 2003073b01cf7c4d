"""What a worker hears: the bell that others ring, or what a database server tells."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from postsched.domain.errors import StoreUnavailable
from postsched.store.listening import Listener
from postsched.wakeup import Bell

log = logging.getLogger("postsched.engine")
AGAIN = (0.1, 0.5, 2.0, 10.0)
"""Seconds to wait before listening anew, the last again and again."""


class ServerBell:
    """A bell that a database server rings too. What it tells while it is not heard is made up for:
    with the first connection again, everything counts as changed."""

    def __init__(self, bell: Bell, listener: Listener) -> None:
        self._bell = bell
        self._listener = listener
        self._task: asyncio.Task[None] | None = None

    def hang(self, loop: asyncio.AbstractEventLoop, answer: Callable[[], None]) -> None:
        """Answer every ring from now on."""
        self._bell.hang(loop, answer)
        self._task = loop.create_task(self._listen(answer))

    async def _listen(self, answer: Callable[[], None]) -> None:
        failures = 0
        while True:
            try:
                await asyncio.to_thread(self._listener.connect)
            except StoreUnavailable as error:
                if not failures:
                    log.warning("%s; it is asked every 30 s instead", error.message)
                await asyncio.sleep(AGAIN[min(failures, len(AGAIN) - 1)])
                failures += 1
                continue
            failures = 0
            answer()
            await self._hear(answer)

    async def _hear(self, answer: Callable[[], None]) -> None:
        """Until the connection is lost."""
        loop, lost = asyncio.get_running_loop(), asyncio.Event()

        def readable() -> None:
            try:
                if self._listener.heard():
                    answer()
            except StoreUnavailable:
                loop.remove_reader(number)
                lost.set()

        number = self._listener.fileno()
        loop.add_reader(number, readable)
        try:
            await lost.wait()
        finally:
            loop.remove_reader(number)

    def silence(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer no more; the worker still counts as alive."""
        self._bell.silence(loop)
        if self._task is not None:
            self._task.cancel()

    def take_down(self, *, keep: bool) -> None:
        """Count as dead."""
        self._bell.take_down(keep=keep)
        self._listener.close()
