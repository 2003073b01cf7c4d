"""All that tells, put together from the settings: the courier, the sign of life, their clients.

In the daemon it has a thread and an event loop of its own: neither a thousand webhooks nor a
command's start is to hold up the loop that sends posts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from postsched.domain.hook import HOOKS
from postsched.engine.clock import Clock
from postsched.engine.courier import Courier
from postsched.engine.pulse import Pulse
from postsched.engine.tellers import Tellers, request_seconds
from postsched.store.database import Database
from postsched.transport import Transport

if TYPE_CHECKING:
    from postsched.config import Settings
    from postsched.secrets import Secrets

log = logging.getLogger("postsched.notify")
AT_ONCE = 60.0
"""Seconds that a process which ends by itself takes for telling."""
GRACE = 2.0
"""Seconds beyond its own that the thread is waited for at the end."""


class Herald:
    """Tells what the writers to `database` leave in its outbox. `environ` is that of the programs
    that are started, `mark` names this process, `well` says (in the loop that calls `start`)
    whether a sign of life is due."""

    def __init__(
        self,
        settings: Settings,
        secrets: Secrets,
        environ: Mapping[str, str],
        database: Database,
        clock: Clock,
        rng: Random,
        mark: str,
        well: Callable[[], Coroutine[Any, Any, bool]] | None = None,
    ) -> None:
        seconds = request_seconds(settings)
        self._transport = Transport(seconds, allow_private=settings.allow_private_addresses)
        self._tellers = Tellers(settings, secrets, environ, self._transport, clock.now)
        self._courier = Courier(database, self._tellers, clock, rng, mark)
        self._well = well if settings.notify.heartbeat_url else None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._seconds = 0.0
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, in a thread of its own."""
        main = asyncio.get_running_loop()
        begun = threading.Event()

        def live() -> None:
            asyncio.run(self._live(main, begun))

        self._thread = threading.Thread(target=live, name="postsched-herald", daemon=True)
        self._thread.start()
        begun.wait(GRACE)

    def wake(self) -> None:
        """Another process may have left something."""
        self._call(self._courier.wake)

    async def stop(self, seconds: float) -> None:
        """Tell what is left, for so many seconds at the most, and end."""
        if self._thread is None or self._ending is None:
            return await self._end(seconds)
        self._seconds = seconds
        self._call(self._ending.set)
        await asyncio.to_thread(self._thread.join, seconds + GRACE)
        return None

    async def once(self) -> None:
        """All of it for a process that has done its work: tell what is due, and give one sign of
        life."""
        try:
            problem, _ = await asyncio.gather(self._tellers.beat(), self._courier.deliver(AT_ONCE))
            if problem:
                log.warning("no sign of life could be given: %s", problem)
        finally:
            self._courier.close()
            await self._transport.close()

    async def again(self, ids: Sequence[int]) -> None:
        """Tell those rows, as far as they wait and no other process has them."""
        try:
            for way in HOOKS:
                await self._courier.go_through(way, only=ids)
        finally:
            await self._courier.give_back()
            self._courier.close()
            await self._transport.close()

    # ---- the thread

    async def _live(self, main: asyncio.AbstractEventLoop, begun: threading.Event) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        pulse = Pulse(self._tellers.beat, lambda: self._is_well(main)) if self._well else None
        self._courier.start()
        if pulse is not None:
            pulse.start()
        begun.set()
        await self._ending.wait()
        if pulse is not None:
            await pulse.stop()
        await self._end(self._seconds)

    async def _end(self, seconds: float) -> None:
        await self._courier.stop(seconds)
        await self._transport.close()

    async def _is_well(self, main: asyncio.AbstractEventLoop) -> bool:
        """Whether the engine is, as its own event loop finds; if that hangs there is no answer,
        and no sign of life."""
        assert self._well is not None
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._well(), main))

    def _call(self, function: Callable[[], object]) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(function)
