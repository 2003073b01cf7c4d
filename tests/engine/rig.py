"""An engine over a real database file and fake platforms, and ways to drive it.

`Rig` puts the engine together as `assembly` does, with platforms of the test's own. `Simulation`
drives its dispatcher as APScheduler would, by a clock that the test moves; no time passes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from postsched import recognition, wakeup
from postsched.config import Settings
from postsched.domain.account import Account
from postsched.domain.delivery import Delivery
from postsched.domain.retry import RetryPolicy
from postsched.engine.assembly import Engine
from postsched.engine.attachments import Attachments
from postsched.engine.clock import Clock, SystemClock
from postsched.engine.dispatcher import Dispatcher
from postsched.engine.growth import Growth
from postsched.engine.hands import LEAD, Limits
from postsched.engine.intake import Intake
from postsched.engine.publisher import Publisher
from postsched.engine.quotas import Quotas
from postsched.engine.turns import Turns
from postsched.engine.worker import clear_bells, register, strike_dead
from postsched.login import Logins
from postsched.media.kept import MediaStore
from postsched.planning import zone_rules
from postsched.planning.chain import revive
from postsched.planning.planner import planner_of
from postsched.platforms.base import Login, Platform
from postsched.secrets import Secrets
from postsched.store.queue import Work
from postsched.transport import Transport
from postsched.wakeup import Bell
from tests.servers import postgres
from tests.store import rows

PATIENCE = 30.0
"""Seconds of real time after which a test gives up waiting."""


class CountedLogins(Logins):
    """Logins that tell how many are being read or renewed just now."""

    busy = 0

    async def get(self, *args: Any, **more: Any) -> Login:
        self.busy += 1
        try:
            return await super().get(*args, **more)
        finally:
            self.busy -= 1

    async def read_ahead(self, *args: Any) -> None:
        self.busy += 1
        try:
            await super().read_ahead(*args)
        finally:
            self.busy -= 1


class Rig:
    """A database, platforms by name, and the engines made over them."""

    def __init__(
        self,
        folder: Path,
        platforms: Mapping[str, Platform],
        clock: Clock | None = None,
        environ: Mapping[str, str] | None = None,
        secrets: Any = None,
        **settings: Any,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.platforms = platforms
        self.settings = replace(
            Settings(
                postgres.place(folder / "posts.db"),
                media_dir=folder / "media",
                archive_dir=folder / "archive",
                state_dir=folder / "state",
            ),
            **settings,
        )
        self.secrets: Any = secrets or Secrets(environ or {})
        self.database = rows.opened(folder)
        self.other = rows.opened(folder)
        """The same for the test's own looks, on connections of its own."""
        self.bells = wakeup.folder_for(self.settings)
        self.events: list[tuple[str, Work]] = []
        self._turns: list[Turns] = []

    def account(self, name: str = "me", platform: str = "fake") -> Account:
        """A new account."""
        with self.database.write() as connection:
            return rows.account(connection, name, platform)

    def post(self, text: str, to: Account, due: datetime, **more: Any) -> int:
        """A new post to one account; the id of its delivery."""
        with self.database.write() as connection:
            (delivery,) = rows.post(connection, text, [to], due, **more)
        return delivery

    def posts(self, to: Account, dues: Iterable[datetime], **more: Any) -> list[int]:
        """New posts to one account, one at each instant, in one transaction; their deliveries."""
        with self.database.write() as connection:
            return [
                rows.post(connection, f"post {n}", [to], due, **more)[0]
                for n, due in enumerate(dues)
            ]

    def delivery(self, delivery_id: int) -> Delivery:
        """A delivery as it stands in the database."""
        return rows.read(self.other, delivery_id)

    def close(self) -> None:
        """Close all connections, also where an engine was left in the middle of a turn."""
        for turns in self._turns:
            turns.close()
        self.database.close()
        self.other.close()

    def words(self) -> list[str]:
        """What the engine told of, in order."""
        return [word for word, _ in self.events]

    def engine(self, kind: str = "run") -> Engine:
        """A new worker, registered, its bell made; as `assembly.assemble` puts it together."""
        tide = recognition.tide_of(self.database, self.settings.state_folder)
        mark = wakeup.new_mark()
        bell = Bell(self.bells, mark)
        with self.database.write() as connection:
            strike_dead(connection, self.bells, self.clock.now())
            worker = register(connection, kind, mark, self.clock.now())
        clear_bells(self.database, self.bells)
        settings = self.settings
        transport = Transport(settings.request_timeout)
        logins = CountedLogins(self.secrets, settings, self.database, self.clock.now, mark)
        self.logins = logins
        publisher = Publisher(
            self.platforms.__getitem__, logins, transport, settings, self.clock,
            Attachments(MediaStore(settings.media_folder), self.platforms.__getitem__),
        )  # fmt: skip
        now = self.clock.now()
        rewound = recognition.recognise(self.database, tide, now, publisher.guarantee)
        planner = planner_of(settings, UTC)
        zone_rules.follow(self.database, planner, now)
        with self.database.write() as connection:
            revive(connection, planner, now)
        growth = Growth(self.database, tide, worker.id)
        intake = Intake(
            self.database, worker, self.bells, settings.claim_timeout, publisher.guarantee,
            growth, planner, Quotas(self.platforms.__getitem__, settings),
        )  # fmt: skip
        turns = Turns(self.database, worker, self.bells, intake, growth)
        self._turns.append(turns)
        dispatcher = Dispatcher(
            turns, publisher, self.clock, Random(7),
            RetryPolicy(settings.attempts, settings.retry_delay),
            Limits(settings.concurrency, settings.concurrency_total,
                   settings.claim_ahead, settings.claim_timeout),
            settings.request_timeout, self.database.path,
        )  # fmt: skip
        dispatcher.on_event = lambda word, work: self.events.append((word, work))
        return Engine(
            dispatcher, turns, transport, worker, bell, self.clock, self.database,
            settings.shutdown_timeout.total_seconds(), logins, rewound=rewound,
        )  # fmt: skip


class Simulation:
    """Drives a dispatcher by a clock that is moved: nothing happens but at the instants that the
    dispatcher names, and it must name every one."""

    def __init__(self, rig: Rig, engine: Engine | None = None) -> None:
        self.rig = rig
        self.clock: Any = rig.clock
        self.engine = engine or rig.engine()
        self.dispatcher = self.engine.dispatcher
        self.dispatcher.on_change = self._changed
        self.calls = 0
        """How often the scheduler was woken."""
        self._wanted = False
        self._seen: set[str] = set()

    def _changed(self) -> None:
        self._wanted = True

    def pump(self) -> None:
        """What APScheduler does when it wakes."""
        self._wanted = False
        self.calls += 1
        for held in self.dispatcher.take_due(self.clock.now()):
            self.dispatcher.let_fly(held)

    async def quiet(self) -> None:
        """Wait until nothing happens any more at this instant."""
        self.pump()
        calm = 0
        while calm < 3:
            for _ in range(8):
                await asyncio.sleep(0)
            await self._let_wait()
            await self._let_log_in()
            await self.engine.turns.run(lambda database: None)
            task = self.dispatcher.cycle.task
            turning = task is not None and not task.done()
            calm = 0 if self._wanted or turning else calm + 1
            if self._wanted:
                self.pump()

    async def _let_log_in(self) -> None:
        """Keyrings and leases are waited for in threads, and for real; but not for ever, for a test
        may hold one up."""
        for _ in range(50):
            if not self.rig.logins.busy:
                break
            await asyncio.sleep(0.005)

    async def _let_wait(self) -> None:
        """The last milliseconds before an instant are slept for real, the clock being looked at
        again and again: let those see it whose instant has come."""
        now = self.clock.now()
        begun = {held.token + str(held.id) for held in self.dispatcher.hands.flying.values()
                 if held.at <= now}  # fmt: skip
        if begun - self._seen:
            await asyncio.sleep(2 * LEAD.total_seconds())
        self._seen |= begun

    async def go_to(self, instant: datetime) -> None:
        """Let time pass until then, stopping wherever the dispatcher has something to do."""
        await self.quiet()
        stuck = 0
        while (now := self.clock.now()) < instant:
            step = min(self._next(now), instant)
            stuck = stuck + 1 if step <= now else 0
            assert stuck < 20, "it spins: its next instant has come, and nothing happens"
            self.clock.advance(max(step - now, timedelta(microseconds=1)))
            await self.quiet()

    async def go(self, seconds: float) -> None:
        """Let so many seconds pass."""
        await self.go_to(self.clock.now() + timedelta(seconds=seconds))

    def _next(self, now: datetime) -> datetime:
        instants = [self.dispatcher.next_instant(now)]
        instants += [held.at for held in self.dispatcher.hands.flying.values() if held.at > now]
        return min(instants)

    async def end(self) -> None:
        """Stop it as the program does."""
        await self.engine.stop()
        await self.engine.close()


def play(scene: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Run a scene in an event loop, for so many seconds at the most."""

    async def bounded() -> Any:
        async with asyncio.timeout(patience):
            return await scene()

    return asyncio.run(bounded())


async def until(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(patience):
        while not condition():
            await asyncio.sleep(0.002)
