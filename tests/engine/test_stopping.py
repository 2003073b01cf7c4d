"""The orderly end, and the hasty one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import timedelta
from typing import Any

import pytest

from postsched import wakeup
from postsched.domain.capabilities import Capabilities, Guarantee
from postsched.domain.delivery import DeliveryStatus
from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import PlatformError
from postsched.testing import FakeClock, FakePlatform
from postsched.testing.platform import Call, Held
from tests.engine.conftest import MakeRig
from tests.engine.rig import Rig, Simulation, play

S = DeliveryStatus


def test_what_is_held_is_given_back(rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
    me = rig.account()
    delivery = rig.post("Hello", me, clock.now() + timedelta(seconds=0.2))

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.quiet()
        assert rig.delivery(delivery).status is S.PUBLISHING
        await sim.end()

    play(scene)
    after = rig.delivery(delivery)
    assert (after.status, after.attempts, after.claim) == (S.SCHEDULED, 0, None)
    assert not fake.called("publish")


def test_what_is_in_flight_is_waited_for(rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
    me, gate = rig.account(), Held()
    fake.will("publish", gate)
    delivery = rig.post("Hello", me, clock.now())

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.quiet()
        assert fake.called("publish")
        ending = asyncio.create_task(sim.end())
        await sim.quiet()
        assert not ending.done()
        gate.event.set()
        await ending

    play(scene)
    assert rig.delivery(delivery).status is S.PUBLISHED


def test_a_thread_stops_between_its_parts(rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
    """The part under way is waited for, the next one belongs to the next worker."""
    me, gate = rig.account(), Held()
    fake.will("publish", gate)
    delivery = rig.post("One", me, clock.now(), then=["Two"])

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.quiet()
        ending = asyncio.create_task(sim.end())
        await sim.quiet()
        gate.event.set()
        await ending
        assert [post.text for post in fake.posts] == ["One"]
        after = rig.delivery(delivery)
        assert (after.status, after.next_step, after.claim) == (S.SCHEDULED, 1, None)
        following = Simulation(rig)
        await following.quiet()
        await following.end()

    play(scene)
    assert [post.text for post in fake.posts] == ["One", "Two"]
    assert fake.posts[1].parent == fake.posts[0].remote_id
    assert rig.delivery(delivery).status is S.PUBLISHED


class TestTheTimeIsUp:
    """What does not end in time is broken off."""

    @pytest.mark.parametrize(
        ("guarantee", "status"),
        [
            (Guarantee(None, can_look_up=True), S.CONFIRMING),
            (Guarantee(), S.UNCONFIRMED),
        ],
    )
    def test_and_counts_as_lost(
        self, make: MakeRig, guarantee: Guarantee, status: DeliveryStatus
    ) -> None:
        fake = FakePlatform(Capabilities(guarantee=guarantee))
        fake.will("publish", Held())
        rig = make(platforms={"fake": fake}, clock=None)
        me = rig.account()
        delivery = rig.post("Hello", me, rig.clock.now())

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.quiet()
            assert fake.called("publish")
            await sim.dispatcher.stop(0.05)
            await sim.engine.close()

        play(scene)
        after = rig.delivery(delivery)
        assert (after.status, after.claim) == (status, None)
        assert after.problem is not None

    @pytest.mark.parametrize("verb", ["prepare"])
    def test_what_was_only_being_prepared_is_given_back(self, make: MakeRig, verb: str) -> None:
        fake = FakePlatform()
        fake.will(verb, Held())
        rig = make(platforms={"fake": fake}, clock=None)
        delivery = rig.post("Hello", rig.account(), rig.clock.now())

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.quiet()
            assert fake.called(verb)
            await sim.dispatcher.stop(0.05)
            await sim.engine.close()

        play(scene)
        after = rig.delivery(delivery)
        assert (after.status, after.claim, after.attempts) == (S.SCHEDULED, None, 0)


def test_a_preparation_ahead_does_not_hold_up_the_end(
    make: MakeRig, caplog: pytest.LogCaptureFixture
) -> None:
    """It is invisible and repeatable: broken off at once, and the delivery is free again."""
    fake = FakePlatform()
    fake.will("prepare", Held())
    rig = make(platforms={"fake": fake}, clock=None)
    now = rig.clock.now()
    delivery = rig.post("Hello", rig.account(), now.replace(year=now.year + 1), prepare_at=now)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.quiet()
        assert rig.delivery(delivery).claim
        async with asyncio.timeout(2):
            await sim.end()

    play(scene)
    after = rig.delivery(delivery)
    assert (after.status, after.claim) == (S.SCHEDULED, None)
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    ("error", "status", "attempts"),
    [(None, S.SCHEDULED, 0), (PlatformError(ErrorKind.INVALID, "no"), S.FAILED, 1)],
)
def test_a_preparation_that_heeds_no_stop_is_settled_once(
    rig: Rig,
    clock: FakeClock,
    fake: FakePlatform,
    caplog: pytest.LogCaptureFixture,
    error: Exception | None,
    status: DeliveryStatus,
    attempts: int,
) -> None:
    gate = asyncio.Event()

    async def ends_in_spite_of_all(call: Call) -> dict[str, Any]:
        with contextlib.suppress(asyncio.CancelledError):
            await gate.wait()
        if error:
            raise error
        return {"text": "Hello", "alts": []}

    fake.will("prepare", ends_in_spite_of_all)
    delivery = rig.post("Hello", rig.account(), clock.now())

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.quiet()
        assert fake.called("prepare")
        await sim.end()

    play(scene)
    after = rig.delivery(delivery)
    assert (after.status, after.claim, after.attempts) == (status, None, attempts)
    assert not fake.called("publish")
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR], caplog.text


class TestAHastyEnd:
    """The second signal: nothing is waited for, and the next worker finds out at once."""

    def test_what_could_not_be_given_back_is_settled_by_the_next(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        fake.will("publish", Held())
        delivery = rig.post("Hello", rig.account(), clock.now())

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.quiet()
            assert fake.called("publish")
            await sim.engine.close()

        play(scene)
        assert rig.delivery(delivery).status is S.PUBLISHING

        async def following() -> None:
            sim = Simulation(rig)
            await sim.go(5)
            await sim.end()

        play(following)
        assert rig.delivery(delivery).status is S.PUBLISHED
        assert len(fake.posts) == 1

    def test_a_worker_is_never_taken_for_an_earlier_one(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        """Numbers of workers that ended are not given again, or claims of theirs would look like
        its own."""

        async def scene() -> int:
            engine = rig.engine()
            await engine.stop()
            await engine.close()
            return engine.worker.id

        assert len({play(scene) for _ in range(3)}) == 3


def test_an_ended_worker_leaves_nothing_behind(rig: Rig) -> None:
    async def scene() -> None:
        sim = Simulation(rig)
        await sim.quiet()
        await sim.end()

    play(scene)
    assert wakeup.marks(rig.bells) == []
    with rig.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM workers").scalar() == 0
