"""Connections are there when the instant comes."""

from __future__ import annotations

from datetime import timedelta

from postsched.testing import FakeClock, FakePlatform
from tests.engine.conftest import MakeRig
from tests.engine.rig import Rig, Simulation, play, until
from tests.transport.serving import server


def test_they_are_opened_when_posts_are_claimed_and_not_more_than_there_are_hands(
    make: MakeRig, clock: FakeClock, fake: FakePlatform
) -> None:
    rig = make(concurrency=3)
    due = clock.now() + timedelta(seconds=10)

    async def scene() -> None:
        async with server() as own:
            fake.url = own.url  # type: ignore[misc]  # this one's own
            rig.posts(rig.account("me"), [due] * 2)
            rig.posts(rig.account("other"), [due] * 2)
            sim = Simulation(rig)
            await sim.go(9.7)
            assert own.connections == 0
            await sim.go(0.2)
            await until(lambda: own.connections == 3)
            assert not fake.called("publish")
            await sim.go(60)
            assert len(fake.posts) == 4
            assert (own.connections, own.requests) == (3, [])
            await sim.end()

    play(scene)


def test_nobody_waits_for_a_server_that_is_not_there(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    rig.post("Hello", rig.account(), clock.now() + timedelta(seconds=1))

    async def scene() -> None:
        sim = Simulation(rig)  # nobody listens at the fake's address
        await sim.go(2)
        assert len(fake.posts) == 1
        await sim.end()

    play(scene)
