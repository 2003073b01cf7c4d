"""The daemon through APScheduler, by the real clock: waking, spinning, ending, and a database that
fails."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from postsched import wakeup
from postsched.domain.account import Account
from postsched.domain.delivery import DeliveryStatus
from postsched.domain.errors import StoreMoved
from postsched.engine.assembly import Engine
from postsched.engine.clock import SystemClock
from postsched.engine.scheduler import run
from postsched.store import moved
from postsched.store.moved import Moved
from postsched.testing import FakePlatform
from postsched.testing.platform import Held, LostAnswer
from tests.engine.conftest import MakeRig
from tests.engine.faults import Faults
from tests.engine.rig import Rig, play, until
from tests.servers import postgres

S = DeliveryStatus
PROMPT = 3.0
"""Seconds of lateness that a busy test machine is forgiven: what goes wrong costs 10 or 30. How
prompt it really is, `tests/benchmarks` measures."""
Scene = Callable[[Engine], Awaitable[None]]


class CountingClock(SystemClock):
    """Tells how often it was looked at: whoever spins looks all the time."""

    looks = 0

    def now(self) -> datetime:
        self.looks += 1
        return super().now()


@pytest.fixture
def fake() -> FakePlatform:
    return FakePlatform(now=SystemClock().now)


@pytest.fixture
def rig(make: MakeRig, fake: FakePlatform) -> Rig:
    return make(platforms={"fake": fake}, clock=CountingClock())


@pytest.fixture
def me(rig: Rig) -> Account:
    return rig.account()


def daemon(rig: Rig, scene: Scene, **more: Any) -> None:
    """Play a scene while the daemon runs, and end it in order."""

    async def whole() -> None:
        engine, stop, up = rig.engine(), asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(run(engine, stop=stop, started=up.set, **more))
        await up.wait()
        try:
            await scene(engine)
        finally:
            stop.set()
            await running

    play(whole)


def in_(rig: Rig, seconds: float) -> datetime:
    return rig.clock.now() + timedelta(seconds=seconds)


def lateness(rig: Rig, delivery: int) -> float:
    found = rig.delivery(delivery)
    assert found.status is S.PUBLISHED
    assert found.lateness is not None
    return found.lateness.total_seconds()


def published(rig: Rig, *deliveries: int) -> Callable[[], bool]:
    return lambda: all(rig.delivery(one).status is S.PUBLISHED for one in deliveries)


def test_at_the_instant_and_not_before(rig: Rig, me: Account, fake: FakePlatform) -> None:
    ids = [rig.post("Hello", me, in_(rig, 0.4 + n * 0.05)) for n in range(8)]

    async def scene(engine: Engine) -> None:
        await until(published(rig, *ids))

    daemon(rig, scene)
    late = [lateness(rig, one) for one in ids]
    assert min(late) >= 0
    assert max(late) < PROMPT


def test_a_ring_wakes_it(rig: Rig, me: Account) -> None:
    async def scene(engine: Engine) -> None:
        await asyncio.sleep(0.1)
        delivery = rig.post("Hello", me, rig.clock.now())
        begun = time.monotonic()
        wakeup.tell(rig.bells)
        await until(published(rig, delivery))
        assert time.monotonic() - begun < PROMPT

    daemon(rig, scene)


def test_until_idle_ends_by_itself(rig: Rig, me: Account, fake: FakePlatform) -> None:
    """Once what was lost is settled and what is to come is out; the paused does not count."""
    fake.will("publish", LostAnswer(RuntimeError("garbled")))
    ids = [rig.post("Hello", me, rig.clock.now()), rig.post("Hello", me, in_(rig, 0.5))]
    paused = rig.post("Held", me, rig.clock.now())
    with rig.database.write() as connection:
        connection.execute(text("UPDATE deliveries SET paused = 1 WHERE id = :id"), {"id": paused})

    async def scene() -> None:
        await run(rig.engine(), until_idle=True)

    play(scene)
    assert published(rig, *ids)()
    assert len(fake.posts) == 2
    assert rig.delivery(paused).status is S.SCHEDULED


def test_it_does_not_spin_while_all_hands_are_busy(make: MakeRig, fake: FakePlatform) -> None:
    """More is due, and nothing of it can begin."""
    clock = CountingClock()
    rig = make(platforms={"fake": fake}, clock=clock, concurrency=2, concurrency_total=2)
    gates = [Held() for _ in range(2)]
    fake.will("publish", *gates)
    ids = rig.posts(rig.account(), [clock.now()] * 9)

    async def scene(engine: Engine) -> None:
        await until(lambda: len(fake.called("publish")) == 2)
        await asyncio.sleep(0.2)
        before = clock.looks
        await asyncio.sleep(0.3)
        assert clock.looks - before < 60
        for gate in gates:
            gate.event.set()
        await until(published(rig, *ids))

    daemon(rig, scene)


def test_it_does_not_spin_while_the_database_fails(
    rig: Rig, me: Account, fake: FakePlatform
) -> None:
    """Also while another worker has to be watched."""
    gate = Held()
    fake.will("publish", gate)
    faults = Faults(rig.database.engine)
    faults.at, faults.name = range(1, 10**9), "disk"

    async def scene(engine: Engine) -> None:
        await asyncio.sleep(0.1)
        first = rig.post("Hello", me, rig.clock.now())  # nobody tells the daemon
        other = rig.engine()
        for held in await taken(other):
            other.dispatcher.let_fly(held)
        await until(lambda: fake.called("publish"))
        engine.dispatcher.kick()
        await asyncio.sleep(0.1)
        faults.armed = True
        engine.dispatcher.kick()
        await asyncio.sleep(0.2)
        clock: Any = rig.clock
        before = clock.looks
        await asyncio.sleep(0.4)
        assert clock.looks - before < 100
        faults.armed = False
        gate.event.set()
        await until(published(rig, first))
        await other.stop()
        await other.close()

    with faults.listening():
        daemon(rig, scene)


async def taken(engine: Engine) -> list[Any]:
    """What an engine that is not driven hands out, once it has some."""
    found: list[Any] = []

    def look() -> bool:
        found.extend(engine.dispatcher.take_due(engine.clock.now()))
        return bool(found)

    await until(look)
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_due_goes_out_on_time_while_the_database_fails_now_and_then(
    rig: Rig, me: Account, fake: FakePlatform, seed: int
) -> None:
    ids = [rig.post("Hello", me, in_(rig, 0.4 + n * 0.04)) for n in range(20)]
    faults = Faults(rig.database.engine)
    rng = Random(seed)
    faults.at = frozenset(n for n in range(1, 3000) if rng.random() < 0.02)
    faults.name = "busy"

    async def scene(engine: Engine) -> None:
        faults.armed = True
        await until(published(rig, *ids))
        faults.armed = False

    with faults.listening():
        daemon(rig, scene)
    assert faults.hit
    assert max(lateness(rig, one) for one in ids) < PROMPT
    assert len(fake.posts) == 20


def test_a_locked_database_holds_up_nothing_that_is_held(
    rig: Rig, me: Account, fake: FakePlatform, tmp_path: Path
) -> None:
    """The event loop never waits for the database."""
    delivery = rig.post("Hello", me, in_(rig, 0.6))

    async def scene(engine: Engine) -> None:
        await until(lambda: any(held.ready for held in engine.dispatcher.hands.held.values()))
        with postgres.behind(tmp_path / "posts.db") as locker:
            gates = "SELECT 1 FROM meta WHERE name LIKE 'gate.%' FOR UPDATE"
            locker.execute(gates if postgres.is_used() else "BEGIN IMMEDIATE")
            await until(lambda: fake.posts)
            assert rig.delivery(delivery).status is S.PUBLISHING
        await until(published(rig, delivery))

    daemon(rig, scene)


def test_it_ends_once_the_database_has_moved(
    rig: Rig, me: Account, fake: FakePlatform, caplog: pytest.LogCaptureFixture
) -> None:
    """After a long sleep, say: meanwhile all goes out from elsewhere."""
    delivery = rig.post("Hello", me, in_(rig, 1.5))

    async def whole() -> None:
        up = asyncio.Event()
        running = asyncio.create_task(run(rig.engine(), started=up.set))
        await up.wait()
        with rig.database.write() as connection:
            moved.mark(connection, Moved("elsewhere.db", rig.clock.now(), "token"))
        with pytest.raises(StoreMoved, match=r"was moved to elsewhere\.db"):
            await asyncio.wait_for(running, 20)

    play(whole)
    assert fake.posts == []
    assert rig.delivery(delivery).status is S.SCHEDULED
    assert [one.getMessage() for one in caplog.records if one.levelname == "ERROR"] == []


def test_a_zone_that_is_none_does_not_matter(
    rig: Rig, me: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Nowhere/Nothing")
    delivery = rig.post("Hello", me, rig.clock.now())

    async def scene(engine: Engine) -> None:
        await until(published(rig, delivery))

    daemon(rig, scene)


class TestEnding:
    """In order; and at once, when told twice."""

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_waits_for_what_is_in_flight(
        self, rig: Rig, me: Account, fake: FakePlatform, number: signal.Signals
    ) -> None:
        async def slow(call: Any) -> Any:
            os.kill(os.getpid(), number)
            await asyncio.sleep(0.1)
            later.append(rig.post("Later", me, rig.clock.now()))
            await asyncio.sleep(0.2)
            return fake._put(call.prepared, call.key)

        later: list[int] = []
        fake.will("publish", slow)
        delivery = rig.post("Hello", me, rig.clock.now())

        async def scene() -> None:
            await run(rig.engine())

        play(scene)
        assert rig.delivery(delivery).status is S.PUBLISHED
        after = rig.delivery(later[0])
        assert (after.status, after.claim) == (S.SCHEDULED, None)

    def test_a_second_one_does_not(
        self, rig: Rig, me: Account, fake: FakePlatform, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def hangs(call: Any) -> Any:
            os.kill(os.getpid(), signal.SIGTERM)
            asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGTERM)
            await asyncio.sleep(60)

        fake.will("publish", hangs)
        delivery = rig.post("Hello", me, rig.clock.now())
        begun = time.monotonic()

        async def scene() -> None:
            await run(rig.engine())

        play(scene)
        assert time.monotonic() - begun < 2 * PROMPT
        after = rig.delivery(delivery)
        assert (after.status, after.claim) == (S.CONFIRMING, None)
        assert not [r for r in caplog.records if r.levelno >= logging.ERROR]

    @pytest.mark.slow
    def test_no_noise_however_it_is_timed(
        self, make: MakeRig, fake: FakePlatform, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Stopped at odd moments: nothing is logged, nothing stays claimed, nothing is doubled."""
        rig = make(platforms={"fake": fake}, clock=None)
        me = rig.account()
        for round_ in range(15):
            rig.posts(me, [rig.clock.now()] * 12)

            async def scene(engine: Engine, moment: float = round_ * 0.003) -> None:
                await asyncio.sleep(moment)

            daemon(rig, scene)
            assert rig.engine is not None
        bad = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
        assert bad == []
        with rig.database.read() as connection:
            held = connection.exec_driver_sql(
                "SELECT count(*) FROM deliveries WHERE claim IS NOT NULL"
            ).scalar()
        assert held == 0
        assert len(fake.posts) == len(fake.called("publish"))


def test_a_daemon_that_can_not_start_leaves_nothing_behind(rig: Rig) -> None:
    async def scene() -> None:
        def failing() -> None:
            raise RuntimeError("the terminal has gone")

        with pytest.raises(RuntimeError):
            await run(rig.engine(), started=failing)

    play(scene)
    assert wakeup.marks(rig.bells) == []
