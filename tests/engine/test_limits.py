"""How much at once: for each platform and in all; one that is slow stops no other."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

from postsched.testing import FakeClock, FakePlatform
from postsched.testing.platform import Held
from tests.engine.conftest import MakeRig
from tests.engine.rig import Simulation, play


class Busy:
    """Counts how many calls are under way, by platform; each waits until it is let through."""

    def __init__(self) -> None:
        self.now: Counter[str] = Counter()
        self.peak: Counter[str] = Counter()
        self.gate = asyncio.Event()

    def platform(self, clock: FakeClock, count: int) -> FakePlatform:
        """A platform whose next calls wait."""
        fake = FakePlatform(now=clock.now)
        name = str(id(fake))

        async def publish(call: Any) -> Any:
            for counted in (name, "all"):
                self.now[counted] += 1
                self.peak[counted] = max(self.peak[counted], self.now[counted])
            await self.gate.wait()
            for counted in (name, "all"):
                self.now[counted] -= 1
            return fake._put(call.prepared, call.key)

        fake.will("publish", *[publish] * count)
        return fake

    async def let_through(self) -> None:
        """Let all that are under way end."""
        self.gate.set()
        await asyncio.sleep(0)
        self.gate.clear()


def test_for_each_platform_and_in_all(make: MakeRig, clock: FakeClock) -> None:
    busy = Busy()
    platforms = {name: busy.platform(clock, 40) for name in "abc"}
    rig = make(platforms=platforms, concurrency=4, concurrency_total=10)
    for name in "abc":
        rig.posts(rig.account(name, name), [clock.now()] * 30)

    async def scene() -> None:
        sim = Simulation(rig)
        for _ in range(60):
            await sim.quiet()
            if not busy.now.total():
                break
            await busy.let_through()
        await sim.end()

    play(scene)
    assert {len(fake.posts) for fake in platforms.values()} == {30}
    assert busy.peak["all"] == 10
    assert {busy.peak[str(id(fake))] for fake in platforms.values()} == {4}


def test_no_hand_stays_empty_while_there_is_work(make: MakeRig, clock: FakeClock) -> None:
    busy = Busy()
    rig = make(platforms={"a": busy.platform(clock, 100)}, concurrency=5)
    rig.posts(rig.account("a", "a"), [clock.now()] * 50)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.quiet()
        for left in range(50, 0, -5):
            assert busy.now["all"] == min(5, left)
            await busy.let_through()
            await sim.quiet()
        await sim.end()

    play(scene)


def test_no_more_is_claimed_than_there_are_hands_and_a_few(make: MakeRig, clock: FakeClock) -> None:
    """The claims are the bound on what a crash leaves in doubt."""
    busy = Busy()
    rig = make(platforms={"a": busy.platform(clock, 200)}, concurrency=5)
    ids = rig.posts(rig.account("a", "a"), [clock.now()] * 100)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.quiet()
        claimed = sum(rig.delivery(one).claim is not None for one in ids)
        assert 5 <= claimed <= 5 + 5
        await sim.dispatcher.stop(0)
        await sim.engine.close()

    play(scene)


def test_a_slow_platform_stops_no_other(make: MakeRig, clock: FakeClock) -> None:
    slow, good = FakePlatform(now=clock.now), FakePlatform(now=clock.now)
    slow.will("publish", *[Held() for _ in range(100)])
    rig = make(platforms={"slow": slow, "good": good})
    rig.posts(rig.account("slow", "slow"), [clock.now()] * 100)
    me = rig.account("good", "good")
    dues = [clock.now() + timedelta(seconds=n) for n in range(20)]
    rig.posts(me, dues)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(21)
        assert len(slow.called("publish")) == 10
        await sim.dispatcher.stop(0)
        await sim.engine.close()

    play(scene)
    assert [call.at for call in good.called("publish")] == dues


def test_a_slow_account_stops_no_other_of_its_platform(make: MakeRig, clock: FakeClock) -> None:
    """A backlog of one is sent in turn with what another has."""
    fake = FakePlatform(now=clock.now)
    rig = make(platforms={"fake": fake}, concurrency=2)
    rig.posts(rig.account("long"), [clock.now()] * 40)
    short = rig.account("short")
    rig.posts(short, [clock.now()] * 3)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(1)
        await sim.end()

    play(scene)
    accounts = [call.login.account for call in fake.called("publish")]
    assert max(n for n, name in enumerate(accounts) if name == "short") < 12


def test_a_platform_that_hangs_while_preparing_keeps_its_share_only(
    make: MakeRig, clock: FakeClock
) -> None:
    slow, good = FakePlatform(now=clock.now), FakePlatform(now=clock.now)
    slow.will("prepare", *[Held() for _ in range(200)])
    rig = make(platforms={"slow": slow, "good": good})
    rig.posts(rig.account("slow", "slow"), [clock.now()] * 100)
    dues = [clock.now() + timedelta(seconds=n) for n in range(20)]
    rig.posts(rig.account("good", "good"), dues)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(21)
        assert len(slow.called("prepare")) <= 20
        await sim.dispatcher.stop(0)
        await sim.engine.close()

    play(scene)
    assert [call.at for call in good.called("publish")] == dues
