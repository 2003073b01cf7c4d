"""Takes away what was put at the media host, once no delivery needs it any more.

A removal is begun on record, made as often as it takes, and only then forgotten: so a process may
end at any moment, and the next one goes on. Whatever fails here harms no delivery; it is logged at
each try, and `doctor` shows it until it has succeeded.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

from postsched.domain.errors import PostschedError, StoreUnavailable
from postsched.domain.outcome import ErrorKind
from postsched.engine.hosting import Hosting
from postsched.hosting import Host, HostError
from postsched.store import hosted
from postsched.store.hosted import Hosted

log = logging.getLogger("postsched.engine")
AGAIN = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))
"""How long after each try that failed the next one is made, the last again and again."""
GATHER = 0.5
"""Seconds in which what is settled is gathered before the record is read."""
LOOK_AGAIN = 30.0
"""Seconds between looks at a record of which nothing of this process is on, at the least."""
LAST_TRY = 10.0
"""Seconds for a last look in the end."""


class Removal:
    """Goes through the record of `hosting` whenever it is woken, and when something is due."""

    def __init__(self, hosting: Hosting) -> None:
        self._hosting = hosting
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._looked_at = float("-inf")

    def start(self) -> None:
        """Begin, in the event loop that runs."""
        self._woken.set()
        self._task = asyncio.get_running_loop().create_task(self._go_on())

    def wake(self) -> None:
        """Something was settled or changed: look at the record soon, where that makes sense."""
        if self._task is None or not (self._hosting.in_use or self._hosting.place):
            return
        now = asyncio.get_running_loop().time()
        if self._hosting.in_use or now - self._looked_at > LOOK_AGAIN:
            self._woken.set()

    async def finish(self, seconds: float) -> None:
        """Stop, after one last look, for so many seconds at the most."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        try:
            async with asyncio.timeout(min(seconds, LAST_TRY)):
                await self.look()
        except TimeoutError:
            if self._hosting.in_use:
                log.warning("the media host takes long; what is left there is removed later")

    async def look(self) -> float | None:
        """Remove what can be removed now. Returns the seconds until the next try, None if nothing
        is on record that needs one. Never fails."""
        self._looked_at = asyncio.get_running_loop().time()
        try:
            now = self._hosting.now()
            if await self._hosting.read(lambda c: hosted.is_due(c, now)):
                await self._remove(await self._hosting.write(lambda c: hosted.to_remove(c, now)))
            self._hosting.in_use = bool(await self._hosting.read(hosted.every))
            at = await self._hosting.read(hosted.next_instant)
        except StoreUnavailable as error:
            log.warning("the record of the media host can't be used: %s", error.message)
        except Exception:  # a bug here must neither end the task nor keep the daemon from ending
            log.exception("the media host could not be tidied")
        else:
            return None if at is None else max(0.0, (at - self._hosting.now()).total_seconds())
        return AGAIN[0].total_seconds()

    async def _go_on(self) -> None:
        wait: float | None = None
        while True:
            try:
                async with asyncio.timeout(wait):
                    await self._woken.wait()
                await asyncio.sleep(GATHER)
            except TimeoutError:
                pass
            self._woken.clear()
            wait = await self.look()
            wait = wait if wait is None else max(wait, GATHER)

    async def _remove(self, due: Sequence[Hosted]) -> None:
        fault: PostschedError | None = None
        host: Host | None = None
        try:
            host = await self._hosting.host()
        except PostschedError as error:
            fault = error
        for one in due:
            if host is not None and one.place != host.place.place:
                where = one.place.replace(" ", ", bucket ")
                await self._failed(one, f"it is at {where}, which [media_host] no longer names")
            elif host is not None and fault is None:
                fault = await self._remove_one(host, one)
            else:  # one that can't be reached is not asked again and again
                await self._failed(one, str(fault))

    async def _remove_one(self, host: Host, one: Hosted) -> HostError | None:
        """Remove one. Returns why, where others need not be tried now."""
        try:
            with self._hosting.client(host) as http:
                await host.remove(http, one.name)
        except HostError as error:
            await self._failed(one, str(error))
            return error if error.kind is ErrorKind.TRANSIENT else None
        await self._hosting.write(lambda c: hosted.removed(c, one))
        log.info("removed %s from the media host", one.name)
        return None

    async def _failed(self, one: Hosted, why: str) -> None:
        again = self._hosting.now() + AGAIN[min(one.tries, len(AGAIN) - 1)]
        log.warning("%s can't be removed from the media host: %s", one.name, why)
        await self._hosting.write(lambda c: hosted.not_removed(c, one, why, again))
