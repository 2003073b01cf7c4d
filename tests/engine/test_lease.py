"""Claims have an end: renewed while their holder lives, taken over when it does not, and looked at
right before anything is sent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest

from postsched.domain.capabilities import FOREVER, Capabilities, Guarantee
from postsched.domain.delivery import DeliveryStatus
from postsched.platforms.base import Login
from postsched.testing import FakeClock, FakePlatform
from postsched.testing.platform import Held
from postsched.wakeup import Bell
from tests.engine.conftest import MakeRig
from tests.engine.rig import Rig, Simulation, play

S = DeliveryStatus
HOUR = timedelta(hours=1)
KEYS = Guarantee(FOREVER)
LOOKS = Guarantee(None, can_look_up=True)
NOTHING = Guarantee()
EVERY = {"keys": KEYS, "looks": LOOKS, "nothing": NOTHING}


def die(sim: Simulation) -> None:
    """End a worker as `kill -9` does, as far as others see."""
    sim.engine.bell.take_down(keep=True)
    sim.dispatcher.on_change = lambda: None
    sim.dispatcher.hands.held.clear()


def until_of(rig: Rig, delivery: int) -> datetime:
    claim = rig.delivery(delivery).claim
    assert claim is not None
    return claim.until


class TestRenewing:
    """Every third of the lease, for as long as it takes."""

    def test_what_is_in_flight(self, rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
        gate = Held()
        fake.will("publish", gate)
        delivery = rig.post("Hello", rig.account(), clock.now())

        async def scene() -> None:
            sim, other = Simulation(rig), Simulation(rig)
            await sim.quiet()
            for _ in range(20):
                await sim.go(39)
                left = until_of(rig, delivery) - clock.now()
                assert left >= timedelta(seconds=79)
                await other.quiet()
            gate.event.set()
            await sim.quiet()
            await sim.end()
            await other.end()

        play(scene)
        assert len(fake.called("publish")) == 1
        assert rig.delivery(delivery).status is S.PUBLISHED

    def test_what_waits_for_its_instant_and_what_is_prepared(
        self, make: MakeRig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        rig = make(claim_ahead=timedelta(seconds=300))
        fake.will("prepare", Held(), Held(), Held())
        me = rig.account()
        waiting = rig.post("a", me, clock.now() + timedelta(seconds=299))
        preparing = rig.post("b", me, clock.now() + HOUR, prepare_at=clock.now())
        held = rig.post("c", me, clock.now() + timedelta(seconds=299))

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(250)
            for delivery in (waiting, preparing, held):
                assert until_of(rig, delivery) - clock.now() > timedelta(seconds=75)
            await sim.dispatcher.stop(0)
            await sim.engine.close()

        play(scene)


class TestTheDead:
    """Noticed at once, where the bell tells; else when the claim runs out."""

    @pytest.mark.parametrize("name", EVERY)
    @pytest.mark.parametrize("moment", ["held", "sent", "sent and out"])
    def test_at_the_start_of_the_next(
        self, make: MakeRig, clock: FakeClock, name: str, moment: str
    ) -> None:
        fake = FakePlatform(Capabilities(guarantee=EVERY[name]), now=clock.now)
        rig = make(platforms={"fake": fake})
        due = clock.now() + timedelta(seconds=10)
        delivery = rig.post("Hello", rig.account(), due)
        out = moment == "sent and out"

        async def never(call: Any) -> Any:
            if out:
                fake._put(call.prepared, call.key)
            await Held().event.wait()

        async def dying() -> None:
            sim = Simulation(rig)
            if moment == "held":
                await sim.go(9.9)
            else:
                fake.will("publish", never)
                await sim.go(10)
                assert fake.called("publish")
            die(sim)

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.quiet()
            claim = rig.delivery(delivery).claim
            assert claim is None or claim.worker == sim.engine.worker.id
            await sim.go(60)
            await sim.end()

        play(dying)
        play(scene)
        after = rig.delivery(delivery)
        if name == "nothing" and moment != "held":
            assert after.status is S.UNCONFIRMED
        else:
            assert after.status is S.PUBLISHED
            assert len(fake.posts) == 1
        for call in fake.called("publish"):
            assert call.at is not None
            assert call.at >= due

    def test_within_a_second_by_one_that_saw_the_claim(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        fake.will("publish", Held())
        delivery = rig.post("Hello", rig.account(), clock.now())

        async def scene() -> None:
            sim, other = Simulation(rig), Simulation(rig)
            await sim.quiet()
            await other.quiet()
            die(sim)
            await other.go(1)
            assert rig.delivery(delivery).status is not S.PUBLISHING
            await other.go(3)
            assert rig.delivery(delivery).status is S.PUBLISHED
            await other.end()

        play(scene)
        assert len(fake.posts) == 1

    def test_within_30_seconds_by_one_that_was_idle(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        me = rig.account()

        async def scene() -> None:
            other = Simulation(rig)
            await other.go(5)
            fake.will("publish", Held())
            delivery = rig.post("Hello", me, clock.now())
            sim = Simulation(rig)
            await sim.quiet()
            die(sim)
            await other.go(35)
            assert rig.delivery(delivery).status is S.PUBLISHED
            await other.end()

        play(scene)

    def test_a_bell_that_somebody_removed_proves_nothing(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        """Its worker may live: the claim has to run out."""
        fake.will("publish", Held())
        delivery = rig.post("Hello", rig.account(), clock.now())

        async def scene() -> None:
            sim, other = Simulation(rig), Simulation(rig)
            await sim.quiet()
            until = until_of(rig, delivery)
            assert isinstance(sim.engine.bell, Bell)
            sim.engine.bell.path.unlink()
            sim.dispatcher.on_change = lambda: None
            await other.go_to(until - timedelta(seconds=1))
            assert rig.delivery(delivery).status is S.PUBLISHING
            await other.go(5)
            assert rig.delivery(delivery).status is S.PUBLISHED
            await other.end()

        play(scene)
        assert len(fake.posts) == 1

    def test_a_worker_of_another_boot_proves_nothing_either(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        fake.will("publish", Held())
        delivery = rig.post("Hello", rig.account(), clock.now())

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.quiet()
            with rig.database.write() as connection:
                connection.exec_driver_sql("UPDATE workers SET boot = 'another'")
            die(sim)
            other = Simulation(rig)
            await other.go(30)
            assert rig.delivery(delivery).status is S.PUBLISHING
            await other.go(95)
            assert rig.delivery(delivery).status is S.PUBLISHED
            await other.end()

        play(scene)

    def test_they_are_struck_off_the_list(self, rig: Rig, clock: FakeClock) -> None:
        """Also those that held nothing."""

        async def scene() -> None:
            die(Simulation(rig))
            rig.post("Hello", rig.account(), clock.now())
            sim = Simulation(rig)
            await sim.go(1)
            with rig.database.read() as connection:
                found = connection.exec_driver_sql("SELECT id FROM workers").scalars().all()
            assert found == [sim.engine.worker.id]
            await sim.end()

        play(scene)
        assert list(rig.bells.iterdir()) == []


class TestALaptopThatSlept:
    """It must not send after another has taken over."""

    @pytest.mark.parametrize("name", EVERY)
    def test_before_it_sent(self, make: MakeRig, clock: FakeClock, name: str) -> None:
        fake = FakePlatform(Capabilities(guarantee=EVERY[name]), now=clock.now)
        rig = make(platforms={"fake": fake})
        delivery = rig.post("Hello", rig.account(), clock.now() + timedelta(seconds=10))

        async def scene() -> None:
            sleeper, other = Simulation(rig), Simulation(rig)
            await sleeper.go(9.9)
            clock.suspend(HOUR)
            await other.go(60)
            await sleeper.go(60)
            await other.go(60)
            await sleeper.end()
            await other.end()

        play(scene)
        assert len(fake.posts) == 1
        assert rig.delivery(delivery).status is S.PUBLISHED
        if name != "keys":
            assert len(fake.called("publish")) == 1

    @pytest.mark.parametrize("name", EVERY)
    def test_between_the_look_at_its_claim_and_the_request(
        self, make: MakeRig, clock: FakeClock, name: str
    ) -> None:
        """It was renewing its login."""
        gate = Held()

        class Stale(FakePlatform):
            needs_secret: ClassVar[bool] = True

            def stale(self, login: Login, now: datetime) -> bool:
                return True

        fake = Stale(Capabilities(guarantee=EVERY[name]), now=clock.now)
        environ: Mapping[str, str] = {"POSTSCHED_TOKEN_ME": "s3cret"}
        rig = make(platforms={"fake": fake}, environ=environ)
        delivery = rig.post("Hello", rig.account(), clock.now() + timedelta(seconds=10))

        async def scene() -> None:
            sleeper, other = Simulation(rig), Simulation(rig)
            await sleeper.go(9.9)
            clock.advance(61)  # what was read of the secret is stale by now
            fake.will("refresh", gate)
            await sleeper.quiet()
            assert not fake.called("publish")
            clock.suspend(HOUR)
            await other.go(60)
            gate.event.set()
            await sleeper.go(60)
            await other.go(60)
            await sleeper.end()
            await other.end()

        play(scene)
        assert len(fake.posts) <= 1
        if name == "looks":
            assert len(fake.called("publish")) == 1
            assert rig.delivery(delivery).status is S.PUBLISHED
        if name == "nothing":
            assert fake.posts == []
            assert rig.delivery(delivery).status is S.UNCONFIRMED

    def test_while_its_request_was_under_way(
        self, make: MakeRig, clock: FakeClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Its answer comes too late to be recorded; the other has settled it."""
        gate = Held()
        fake = FakePlatform(Capabilities(guarantee=KEYS), now=clock.now)
        fake.will("publish", gate)
        rig = make(platforms={"fake": fake})
        delivery = rig.post("Hello", rig.account(), clock.now())

        async def scene() -> None:
            sleeper, other = Simulation(rig), Simulation(rig)
            await sleeper.quiet()
            clock.suspend(HOUR)
            await other.go(60)
            assert rig.delivery(delivery).status is S.PUBLISHED
            gate.event.set()
            await sleeper.go(60)
            await sleeper.end()
            await other.end()

        play(scene)
        assert len(fake.posts) == 1
        assert rig.delivery(delivery).status is S.PUBLISHED
        assert any("taken over" in r.getMessage() for r in caplog.records)

    def test_alone_it_sends_itself_and_loses_no_attempt(
        self, make: MakeRig, clock: FakeClock
    ) -> None:
        fake = FakePlatform(Capabilities(guarantee=NOTHING), now=clock.now)
        rig = make(platforms={"fake": fake})
        delivery = rig.post("Hello", rig.account(), clock.now() + timedelta(seconds=10))

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(9.9)
            clock.suspend(HOUR)
            await sim.go(31)
            await sim.end()

        play(scene)
        after = rig.delivery(delivery)
        assert (after.status, after.attempts, len(fake.posts)) == (S.PUBLISHED, 1, 1)


class TestLostHold:
    """A claim of a living worker that no hand of it holds."""

    @pytest.mark.parametrize("name", EVERY)
    def test_it_runs_out_like_a_dead_ones(self, make: MakeRig, clock: FakeClock, name: str) -> None:
        fake = FakePlatform(Capabilities(guarantee=EVERY[name]), now=clock.now)
        rig = make(platforms={"fake": fake})
        me = rig.account()
        delivery = rig.post("Hello", me, clock.now() + timedelta(seconds=10))
        rig.post("Another", me, clock.now() + timedelta(seconds=20))

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(9.9)
            sim.dispatcher.hands.held.clear()
            await sim.go(200)
            assert rig.delivery(delivery).status is S.PUBLISHED
            assert sim.calls < 200, "it waits for the end of the claim, it does not spin"
            await sim.end()

        play(scene)
        assert len(fake.posts) == 2


class TestTwoEngines:
    """In one process, on one database."""

    def test_everything_goes_out_once(self, make: MakeRig) -> None:
        fake = FakePlatform()
        rig = make(platforms={"fake": fake}, clock=None)
        ids = rig.posts(rig.account(), [rig.clock.now()] * 150)

        async def scene() -> None:
            engines = [rig.engine("publish-due") for _ in range(3)]
            await asyncio.gather(*(engine.dispatcher.drain() for engine in engines))
            for engine in engines:
                await engine.stop()
                await engine.close()

        play(scene)
        assert len(fake.posts) == len(fake.called("publish")) == 150
        assert {rig.delivery(one).status for one in ids} == {S.PUBLISHED}
        assert {rig.delivery(one).attempts for one in ids} == {1}

    def test_both_work(self, rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
        me = rig.account()
        due = clock.now() + timedelta(seconds=5)
        rig.posts(me, [due] * 30)

        async def scene() -> None:
            one, two = Simulation(rig), Simulation(rig)
            await one.go(4.8)
            await two.quiet()
            held = {one.engine.worker.id, two.engine.worker.id}
            claims = [rig.delivery(n).claim for n in range(1, 31)]
            assert {claim.worker for claim in claims if claim} == held
            await one.go(1)
            await two.go(1)
            await one.end()
            await two.end()

        play(scene)
        assert len(fake.posts) == 30


def test_the_end_of_a_claim_is_told(
    rig: Rig, clock: FakeClock, fake: FakePlatform, caplog: pytest.LogCaptureFixture
) -> None:
    fake.will("publish", Held())
    rig.post("Hello", rig.account(), clock.now())

    async def scene() -> None:
        sim, other = Simulation(rig), Simulation(rig)
        await sim.quiet()
        die(sim)
        await other.go(5)
        ours = [r for r in caplog.records if r.name.startswith("postsched")]
        warnings = [r.getMessage() for r in ours if r.levelno >= logging.WARNING]
        assert warnings == ["delivery 1: its worker ended, now confirming"]
        await other.end()

    play(scene)
