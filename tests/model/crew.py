"""Several workers over one database, by one clock, each with an event loop of its own: so that one
can die in the middle of whatever it does, as by SIGKILL, or be stopped, as by SIGSTOP."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from postsched.testing import FakeClock, FakePlatform
from tests.engine.rig import PATIENCE, Rig, Simulation
from tests.model.doom import Doom, Mortal

STEP = timedelta(microseconds=1)
SPINS = 50
"""How often time may stand still before that counts as spinning."""


class Member:
    """One worker. `doom` is how it will die; while `asleep` it does nothing."""

    def __init__(
        self, folder: Path, platforms: Mapping[str, FakePlatform], clock: FakeClock
    ) -> None:
        self.doom, self.asleep = Doom(), False
        mortal = {name: Mortal(fake, self.doom) for name, fake in platforms.items()}
        self.rig = Rig(folder, mortal, clock)
        self._loop = asyncio.new_event_loop()
        self.sim: Simulation = self._do(self._begin())
        self.doom.hang_over(self.rig.database.engine)

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
        self.doom.dead = True
        self.sim.engine.bell.take_down(keep=True)
        self._cancel()
        with suppress(Exception):
            self._do(self.sim.engine.close())
        self._cancel()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
        self.rig.close()

    def _cancel(self) -> None:
        """End all tasks; the end of one may begin another."""
        while tasks := asyncio.all_tasks(self._loop):
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.wait(tasks, timeout=0.01))


class Crew:
    """The workers that live."""

    def __init__(
        self, folder: Path, platforms: Mapping[str, FakePlatform], clock: FakeClock
    ) -> None:
        self.members: list[Member] = []
        self._folder, self._platforms, self._clock = folder, platforms, clock

    @property
    def awake(self) -> list[Member]:
        """Those that do something."""
        return [member for member in self.members if not member.asleep]

    def hire(self) -> None:
        """One more. Nobody has put the database back, so it must not think so."""
        self.members.append(Member(self._folder, self._platforms, self._clock))
        assert self.members[-1].sim.engine.rewound is None
        self.quiet()

    def kill(self, number: int) -> None:
        """One less."""
        self.members.pop(number % len(self.members)).die()

    def stop(self, number: int) -> None:
        """One does nothing any more until all go on; what it holds, it holds."""
        self.members[number % len(self.members)].asleep = True

    def go_on(self) -> None:
        """Nobody is stopped any more."""
        for member in self.members:
            member.asleep = False
        self.quiet()

    def tell(self) -> None:
        """Their bells ring."""
        for member in self.awake:
            member.kick()
        self.quiet()

    def quiet(self) -> None:
        """Let all of them do what is to be done at this instant."""
        for member in self.awake:
            member.quiet()
        for member in [member for member in self.members if member.doom.dead]:
            self.members.remove(member)
            member.die()

    def go(self, seconds: float) -> None:
        """Let so many seconds pass."""
        until = self._clock.now() + timedelta(seconds=seconds)
        self.quiet()
        stuck = 0
        while (now := self._clock.now()) < until:
            step = min([until, *(member.next(now) for member in self.awake)])
            stuck = stuck + 1 if step <= now else 0
            assert stuck < SPINS, "it spins: its next instant has come, and nothing happens"
            self._clock.advance(max(step - now, STEP))
            self.quiet()
