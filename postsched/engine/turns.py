"""The database thread: one transaction a turn, for all that happened since the last one.

A turn writes the results that have come in and claims what is due. With nothing to write and
nothing due it is one read. When the database can't be used, nothing is claimed, what is to be
written is kept, and the turn is made again, soon. That is so, too, when it is another one by now.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection

from postsched.domain import zone_files
from postsched.domain.delivery import EPOCH
from postsched.domain.errors import StoreRefused, StoreUnavailable
from postsched.engine import changes as changing
from postsched.engine.changes import Change
from postsched.engine.claiming import Wish
from postsched.engine.clock import Clock
from postsched.engine.growth import Growth
from postsched.engine.hands import NO_ROOM
from postsched.engine.intake import Intake, Turn
from postsched.engine.worker import clear_bells
from postsched.planning import zone_rules
from postsched.store import queue, workers
from postsched.store.database import Database, no_room
from postsched.store.workers import Worker

log = logging.getLogger("postsched.engine")
T = TypeVar("T")
HANGS = 10.0
"""Seconds after which a turn, which takes milliseconds, is broken off where that can be done."""


class Turns:
    """Makes turns, one after the other, in a thread of its own."""

    def __init__(
        self, database: Database, worker: Worker, bells: Path, intake: Intake, growth: Growth
    ) -> None:
        self._database = database
        self._worker = worker
        self._bells = bells
        self._intake = intake
        self._growth = growth
        self._thread = ThreadPoolExecutor(1, "postsched-database")
        self._tokens = (f"{worker.mark}.{n}" for n in itertools.count(1))
        self._changes: list[tuple[Change, asyncio.Future[Any]]] = []
        self._astray: set[str] = set()
        """Under these tokens something may be claimed of which this worker does not know, since it
        is not known what became of the turn."""

    @property
    def changes_waiting(self) -> bool:
        """Whether anything is still to be written."""
        return bool(self._changes)

    def submit(self, change: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Have a change written in the next turn; its result comes once it is committed."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._changes.append((change, future))
        return future

    async def make(self, wish: Wish) -> Turn:
        """Make one turn. Raises StoreUnavailable; what was to be written is kept for the next."""
        changes, self._changes = self._changes, []
        loop = asyncio.get_running_loop()
        try:
            results, turn = await self._watched(
                loop.run_in_executor(
                    self._thread, self._turn, [change for change, _ in changes], wish
                )
            )
        except Exception as error:
            if _may_pass(error):
                self._changes = changes + self._changes
                raise
            if not changes:
                raise
            log.exception("a turn failed; its changes are made one by one")
            await self._one_by_one(changes)
            return await self.make(wish)
        for (_, future), result in zip(changes, results, strict=True):
            if not future.done():
                future.set_result(result)
        return turn

    async def run(self, action: Callable[[Database], T]) -> T:
        """Do something else in the database thread."""
        loop = asyncio.get_running_loop()
        return await self._watched(loop.run_in_executor(self._thread, action, self._database))

    async def _watched(self, work: asyncio.Future[T]) -> T:
        """What the database thread gives. What hangs is broken off: a connection through which
        nothing comes any more would be waited for until the system gives it up."""
        while not (await asyncio.wait([work], timeout=HANGS))[0]:
            self._database.cut()
        return work.result()

    def keep_contact(self, clock: Clock) -> None:
        """With a database server: go by its clock, and give a sign of life."""

        def note(connection: Connection) -> None:
            workers.seen(connection, self._worker.id, clock.now())

        self.submit(note)
        self._thread.submit(self._adjust, clock)

    def _adjust(self, clock: Clock) -> None:
        with contextlib.suppress(StoreUnavailable):  # the turn that follows says so
            clock.adjust(self._database)

    async def follow_zones(self, now: datetime) -> None:
        """Go by the rules of the tz database as it is now, and move what waits by others; beside
        the turns, for it may take a while. Raises StoreUnavailable."""
        zone_files.forget()
        planner = self._intake.planner = zone_rules.renewed(self._intake.planner)
        await asyncio.to_thread(zone_rules.follow, self._database, planner, now)

    def close(self) -> None:
        """End the thread, once it has done what it is doing."""
        self._thread.shutdown()
        self._growth.end()

    async def _one_by_one(self, changes: list[tuple[Change, asyncio.Future[Any]]]) -> None:
        """So that a change that can't be made takes no other with it."""
        for place, (change, future) in enumerate(changes):
            try:
                result = await self.run(partial(self._write, change=change))
            except Exception as error:
                if _may_pass(error):
                    self._changes = changes[place:] + self._changes
                    raise
                if not future.done():
                    future.set_exception(error)
            else:
                if not future.done():
                    future.set_result(result)

    def _turn(self, changes: list[Change], wish: Wish) -> tuple[list[Any], Turn]:
        if not changes and not self._astray:
            with self._database.read() as connection:
                sight = self._intake.look(connection, wish)
            if not sight.calls_for(wish):
                return [], sight.turn
        if not self._database.has_room:
            if not changes:
                raise no_room(self._database.name)
            wish = replace(wish, room=NO_ROOM, preparing=NO_ROOM)
        token = next(self._tokens)
        self._astray.add(token)
        with self._database.turn(self._worker.id) as connection:
            results = changing.write(connection, changes)
            found = queue.take_back(connection, self._astray - {token}, wish.now)
            turn = self._intake.take(connection, wish, token, wait=not (changes or found))
            wrote = changes or found or turn.taken or turn.to_prepare or turn.late or turn.expired
            age = self._growth.grow(connection) if wrote else None
        self._astray.clear()
        self._growth.note(age, wish.upto)
        if turn.expired:
            clear_bells(self._database, self._bells)
        return results, turn

    def _write(self, database: Database, *, change: Callable[[Connection], T]) -> T:
        with database.write() as connection:
            result = change(connection)
            age = self._growth.grow(connection)
        self._growth.note(age, EPOCH)
        return result


def _may_pass(error: Exception) -> bool:
    """Whether the database may take the same later. What breaks its rules it never takes."""
    return isinstance(error, StoreUnavailable) and not isinstance(error, StoreRefused)
