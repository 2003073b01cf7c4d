"""All that tells, put together from the settings: the courier, the sign of life, their clients."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import TYPE_CHECKING

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


class Herald:
    """Tells what the writers to `database` leave in its outbox. `environ` is that of the programs
    that are started, `mark` names this process, `well` says whether a sign of life is due."""

    def __init__(
        self,
        settings: Settings,
        secrets: Secrets,
        environ: Mapping[str, str],
        database: Database,
        clock: Clock,
        rng: Random,
        mark: str,
        well: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        seconds = request_seconds(settings)
        self._transport = Transport(seconds, allow_private=settings.allow_private_addresses)
        self._tellers = Tellers(settings, secrets, environ, self._transport, clock.now)
        self._courier = Courier(database, self._tellers, clock, rng, mark)
        beats = well is not None and settings.notify.heartbeat_url is not None
        self._pulse = Pulse(self._tellers.beat, well) if well and beats else None

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._courier.start()
        if self._pulse is not None:
            self._pulse.start()

    def wake(self) -> None:
        """Another process may have left something."""
        self._courier.wake()

    async def stop(self, seconds: float) -> None:
        """Tell what is left, for so many seconds at the most, and end."""
        if self._pulse is not None:
            await self._pulse.stop()
        await self._courier.stop(seconds)
        await self._transport.close()

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
