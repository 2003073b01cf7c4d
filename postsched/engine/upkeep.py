"""Lets what is long over leave the database, beside the sending of posts and never in its way.

Once a day what is old is gone through, in steps (`retention.sweep`). What a step reads and archives
is done in a thread; what it removes is a change like any other, of a few milliseconds, in the
database thread. A step waits until nothing is being sent or due for a while. Should that never come
it is made all the same, for the database must not grow without end; so a post is late by one step
at the most, not by all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection

from postsched.domain.duration import format_duration
from postsched.domain.errors import PostschedError, StoreUnavailable
from postsched.engine.clock import Clock
from postsched.engine.dispatcher import Dispatcher
from postsched.engine.turns import Turns
from postsched.media.kept import MediaStore
from postsched.retention.sweep import EVERY, Sweep, Tally
from postsched.store import retention
from postsched.store.database import Database

log = logging.getLogger("postsched.engine")
T = TypeVar("T")
Write = Callable[[Callable[[Connection], Any]], Awaitable[Any]]
"""How a change is written."""
Room = Callable[[], Awaitable[None]]
"""What a step waits for."""
BEGIN = 600.0
"""Seconds after the start of a daemon until it looks for the first time."""
CALM = timedelta(seconds=1)
"""For how long nothing may be due, for a step to be made."""
GLANCE, PATIENCE = 0.25, 120
"""Seconds between looks whether it is so, and how many are made before a step is made anyway."""
BREATH = 0.05
"""Seconds between two steps."""
SETTLED = timedelta(days=1)
"""A media file that was kept since may belong to a post that is just being written."""


class Upkeep:
    """Goes through what is old, with `sweep`. What it removes is written by the turns of the
    engine."""

    def __init__(
        self,
        sweep: Sweep,
        dispatcher: Dispatcher,
        turns: Turns,
        clock: Clock,
        kept: MediaStore,
        database: Database,
        begin: float = BEGIN,
        patience: int = PATIENCE,
    ) -> None:
        self._sweep = sweep
        self._dispatcher = dispatcher
        self._turns = turns
        self._clock = clock
        self._kept = kept
        self._database = database
        self._begin = begin
        self._patience = patience
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the event loop that runs: soon, and then once a day."""
        if self._sweep.policy.why_not is None:
            self._task = asyncio.get_running_loop().create_task(self._go_on())

    def hush(self) -> None:
        """Begin no step any more."""
        self._ending.set()

    async def stop(self, seconds: float) -> None:
        """End after the step that is under way, within so many seconds: what it has not done the
        next one does."""
        self.hush()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=seconds)
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def share(self, seconds: float) -> None:
        """A share of it for a process that has done its work and ends: no step is begun after so
        many seconds. Never fails."""
        end = self._clock.monotonic() + seconds
        write = partial(_written_by, self._turns)
        await self._look(write, lambda: self._clock.monotonic() < end, None)

    async def look(self) -> None:
        """Go through all that is old. Never fails."""
        write = self._dispatcher.cycle.submit
        await self._look(write, lambda: not self._ending.is_set(), self._room)

    async def _go_on(self) -> None:
        await self._wait(self._begin)
        while not self._ending.is_set():
            await self.look()
            await self._wait(EVERY.total_seconds())

    async def _look(self, write: Write, goes_on: Callable[[], bool], room: Room | None) -> None:
        tally = Tally()
        try:
            if await asyncio.to_thread(self._sweep.begin):
                await self._walk(tally, write, goes_on, room)
        except StoreUnavailable as error:
            log.warning("%s; what is long over leaves the database later", error)
        except Exception:  # a bug here must not keep posts from going out
            log.exception("what is long over could not leave the database")
        if tally.posts or tally.deliveries:
            self._say(tally)
        if tally.files:
            await asyncio.to_thread(self._tidy, tally.files)

    async def _walk(
        self, tally: Tally, write: Write, goes_on: Callable[[], bool], room: Room | None
    ) -> None:
        while goes_on():
            if room is not None:
                await room()
            step = await asyncio.to_thread(self._sweep.take)
            if step is None:
                await write(self._sweep.end)
                return
            if step.leaving:
                tally.take_in(await write(partial(self._sweep.leave, step=step)))
        await write(self._sweep.pause)

    async def _room(self) -> None:
        """Wait until nothing is sent or due for a while; not for ever, for a step is short."""
        await self._wait(BREATH)
        for _ in range(self._patience):
            if self._ending.is_set() or self._is_calm():
                return
            await self._wait(GLANCE)

    def _is_calm(self) -> bool:
        dispatcher, now = self._dispatcher, self._clock.now()
        idle = dispatcher.cycle.is_quiet and not dispatcher.hands.everything()
        return idle and dispatcher.next_instant(now) - now > CALM

    async def _wait(self, seconds: float) -> None:
        """Wait for so long, or for the end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ending.wait()

    def _say(self, tally: Tally) -> None:
        policy = self._sweep.policy
        keep = format_duration(policy.keep) if policy.keep else ""
        where = f"is in the archive {policy.folder}" if policy.archives else "is gone"
        wanting = f", {tally.wanting} of which had failed or were missed" if tally.wanting else ""
        log.info(
            "what was over for %s has left the database and %s: %d posts, %d deliveries%s",
            keep, where, tally.posts, tally.deliveries, wanting,
        )  # fmt: skip

    def _tidy(self, digests: Collection[str]) -> None:
        """Remove media files that no post names any more."""
        try:
            with self._database.read() as connection:
                unused = set(digests) - retention.still_named(connection, digests)
            self._kept.remove_these(unused, self._clock.now() - SETTLED)
        except PostschedError as error:
            log.warning("%s; media files that no post names stay", error)


async def _written_by(turns: Turns, change: Callable[[Connection], T]) -> T:
    def write(database: Database) -> T:
        with database.write() as connection:
            return change(connection)

    return await turns.run(write)
