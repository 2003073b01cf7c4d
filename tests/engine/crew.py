"""Several workers over one database, by one clock, each with an event loop of its own: so that one
can die in the middle of whatever it does, as by SIGKILL."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event

from postsched.platforms.base import Platform
from postsched.testing import FakeClock
from tests.engine.rig import PATIENCE, Rig, Simulation

STEP = timedelta(microseconds=1)
SPINS = 50
"""How often time may stand still before that counts as spinning."""


class Member:
    """One worker."""

    def __init__(self, folder: Path, platforms: Mapping[str, Platform], clock: FakeClock) -> None:
        self.rig = Rig(folder, platforms, clock)
        self._loop = asyncio.new_event_loop()
        self.sim: Simulation = self._do(self._begin())

    async def _begin(self) -> Simulation:
        return Simulation(self.rig)

    def _do(self, coroutine: Any) -> Any:
        return self._loop.run_until_complete(asyncio.wait_for(coroutine, PATIENCE))

    def quiet(self) -> None:
        """Let it do what is to be done at this instant."""
        self._do(self.sim.quiet())

    def kick(self) -> None:
        """Its bell rings."""
        self._loop.call_soon(self.sim.dispatcher.kick)

    def next(self, now: datetime) -> datetime:
        """Its next instant."""
        dispatcher = self.sim.dispatcher
        instants = [held.at for held in dispatcher.hands.flying.values() if held.at > now]
        return min([*instants, dispatcher.next_instant(now)])

    def die(self) -> None:
        """From now on it does nothing to the database; its bell is there, and nobody listens."""
        event.listen(self.rig.database.engine, "begin", _dead)
        self.sim.engine.bell.take_down(keep=True)
        self._cancel()
        with suppress(Exception):
            self._do(self.sim.engine.close())
        self._cancel()
        self._loop.close()
        self.rig.close()

    def _cancel(self) -> None:
        """End all tasks; the end of one may begin another."""
        for _ in range(20):
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0.001))


def _dead(connection: object) -> None:
    raise sqlite3.OperationalError("it is dead")


class Crew:
    """The workers that live."""

    def __init__(self, folder: Path, platforms: Mapping[str, Platform], clock: FakeClock) -> None:
        self.members: list[Member] = []
        self._folder, self._platforms, self._clock = folder, platforms, clock

    def hire(self) -> None:
        """One more."""
        self.members.append(Member(self._folder, self._platforms, self._clock))
        self.quiet()

    def kill(self, number: int) -> None:
        """One less."""
        self.members.pop(number % len(self.members)).die()

    def tell(self) -> None:
        """Their bells ring."""
        for member in self.members:
            member.kick()
        self.quiet()

    def quiet(self) -> None:
        """Let all of them do what is to be done at this instant."""
        for member in self.members:
            member.quiet()

    def go(self, seconds: float) -> None:
        """Let so many seconds pass."""
        until = self._clock.now() + timedelta(seconds=seconds)
        self.quiet()
        stuck = 0
        while (now := self._clock.now()) < until:
            step = min([until, *(member.next(now) for member in self.members)])
            stuck = stuck + 1 if step <= now else 0
            assert stuck < SPINS, "it spins: its next instant has come, and nothing happens"
            self._clock.advance(max(step - now, STEP))
            self.quiet()
