"""What a worker hears: the bell that others ring, or what a database server tells."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from postsched.domain.errors import StoreUnavailable
from postsched.store.listening import UNHEARD, Listener
from postsched.wakeup import Bell

log = logging.getLogger("postsched.engine")
AGAIN = (0.1, 0.5, 2.0, 10.0)
"""Seconds to wait before listening anew, the last again and again."""
SILENCE = 30.0
"""Seconds after which the server is asked whether it is still heard."""
ANSWER = 10.0
"""Seconds in which it says so; else the connection is as good as lost."""


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
                failures = 0
                await self._hear(answer)
            except (StoreUnavailable, TimeoutError) as error:
                if not failures:
                    said = error.message if isinstance(error, StoreUnavailable) else UNHEARD
                    log.warning("%s; until it is, it is asked every 30 s", said)
                await asyncio.sleep(AGAIN[min(failures, len(AGAIN) - 1)])
                failures += 1

    async def _hear(self, answer: Callable[[], None]) -> None:
        """Until the connection is lost: StoreUnavailable, or TimeoutError."""
        loop, news = asyncio.get_running_loop(), asyncio.Event()
        lost: list[StoreUnavailable] = []

        def readable() -> None:
            try:
                if self._listener.heard():
                    answer()
            except StoreUnavailable as error:
                lost.append(error)
            news.set()

        async def more() -> None:
            await news.wait()
            news.clear()
            if lost:
                raise lost[0]

        number = self._listener.fileno()
        loop.add_reader(number, readable)
        try:
            await self._answered(more)
            answer()
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SILENCE):
                        while True:
                            await more()
                self._listener.ask()
                await self._answered(more)
        finally:
            loop.remove_reader(number)

    async def _answered(self, more: Callable[[], Awaitable[None]]) -> None:
        """Until the server has answered; `more` waits until there is something of it."""
        async with asyncio.timeout(ANSWER):
            while not self._listener.answered:
                await more()

    def silence(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer no more; the worker still counts as alive."""
        self._bell.silence(loop)
        if self._task is not None:
            self._task.cancel()

    def take_down(self, *, keep: bool) -> None:
        """Count as dead."""
        self._bell.take_down(keep=keep)
        self._listener.close()
