"""Exactly at the instant: nothing early whatever the clocks do, nothing later than it must be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import event

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.outcome import ErrorKind
from postsched.domain.post import Missed
from postsched.platforms.base import PlatformError
from postsched.testing import FakeClock, FakePlatform
from tests.engine.conftest import MakeRig
from tests.engine.rig import Rig, Simulation, play, until

S = DeliveryStatus
HOUR = timedelta(hours=1)


@contextmanager
def statements(rig: Rig) -> Iterator[list[str]]:
    """What is asked of the database meanwhile."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    event.listen(rig.database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(rig.database.engine, "before_cursor_execute", note)


def in_(clock: FakeClock, **length: float) -> datetime:
    """The instant so far from now."""
    return clock.now() + timedelta(**length)


def sent(fake: FakePlatform) -> list[datetime | None]:
    """When anything was sent."""
    return [call.at for call in fake.called("publish")]


def test_to_the_microsecond(rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
    me, rng = rig.account(), Random(1)
    dues = sorted(in_(clock, seconds=rng.uniform(0.5, 90)) for _ in range(25))
    for due in dues:
        rig.post("Hello", me, due)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(100)
        await sim.end()

    play(scene)
    assert sent(fake) == dues
    for number in range(1, 26):
        after = rig.delivery(number)
        assert (after.lateness, after.started_at) == (timedelta(0), after.occurrence)


def test_claimed_a_little_ahead_and_not_sooner(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    delivery = rig.post("Hello", rig.account(), in_(clock, seconds=60))

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(59.749)
        assert rig.delivery(delivery).status is S.SCHEDULED
        await sim.go(0.001)
        assert rig.delivery(delivery).status is S.PUBLISHING
        await sim.go(0.249)
        assert sent(fake) == []
        await sim.go(0.001)
        assert len(sent(fake)) == 1
        await sim.end()

    play(scene)


class TestAClockThatIsSet:
    """Wall time decides; the other clock only tells when to look again."""

    def test_back_while_a_post_is_held(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        due = in_(clock, seconds=60)
        delivery = rig.post("Hello", rig.account(), due)

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(59.9)
            assert rig.delivery(delivery).claim
            clock.set_wall(clock.now() - HOUR)
            await sim.go(3600)
            assert sent(fake) == []
            await sim.go(1)
            await sim.end()

        play(scene)
        assert sent(fake) == [due]
        assert rig.delivery(delivery).status is S.PUBLISHED

    def test_back_in_the_last_moment(self, rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
        """Handed out 3 ms ahead, when the clock jumps."""
        due = in_(clock, seconds=60)
        delivery = rig.post("Hello", rig.account(), due)

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(59.998)
            assert sim.dispatcher.hands.flying
            clock.set_wall(clock.now() - HOUR)
            await until(lambda: not sim.dispatcher.hands.flying)
            await sim.go(3590)
            assert sent(fake) == []
            await sim.go(20)
            await sim.end()

        play(scene)
        assert sent(fake) == [due]
        assert rig.delivery(delivery).attempts == 1

    @pytest.mark.parametrize("how", ["set", "suspended"])
    def test_forward(self, rig: Rig, clock: FakeClock, fake: FakePlatform, how: str) -> None:
        """Noticed within 30 seconds: within its grace the post goes out late."""
        due = in_(clock, hours=1)
        delivery = rig.post("Hello", rig.account(), due)

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(60)
            if how == "set":
                clock.set_wall(clock.now() + 2 * HOUR)
            else:
                clock.suspend(2 * HOUR)
            await sim.go(30)
            await sim.end()

        play(scene)
        assert len(sent(fake)) == 1
        after = rig.delivery(delivery)
        assert after.lateness is not None
        assert HOUR < after.lateness < HOUR + timedelta(seconds=91)

    def test_forward_while_a_post_is_held(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        """The claim looks run out by then; its holder renews it before it sends."""
        delivery = rig.post("Hello", rig.account(), in_(clock, seconds=60))

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(59.9)
            clock.suspend(8 * HOUR)
            await sim.go(1)
            await sim.end()

        play(scene)
        assert len(sent(fake)) == 1
        after = rig.delivery(delivery)
        assert (after.status, after.attempts) == (S.PUBLISHED, 1)


class TestLate:
    """Past its grace a post is not sent, and that is said."""

    @pytest.mark.parametrize("missed", [Missed.ASK, Missed.SKIP])
    def test_missed_is_told(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform, missed: Missed
    ) -> None:
        due = in_(clock, seconds=60)
        delivery = rig.post("Hello", rig.account(), due, grace=HOUR, missed=missed)
        clock.suspend(HOUR + timedelta(seconds=61))

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(1)
            await sim.end()

        play(scene)
        assert sent(fake) == []
        after = rig.delivery(delivery)
        assert (after.status, after.attempts, after.claim) == (S.MISSED, 0, None)
        ((word, work),) = rig.events
        assert (word, work.delivery.status) == ("missed", S.MISSED)

    def test_missed_while_it_was_held(self, rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
        """The machine fell asleep between the claim and the instant: for longer than the grace."""
        due = in_(clock, seconds=60)
        delivery = rig.post("Hello", rig.account(), due, grace=HOUR)

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go_to(due - timedelta(seconds=0.1))
            assert rig.delivery(delivery).claim is not None
            clock.suspend(2 * HOUR)
            await sim.go(1)
            await sim.end()

        play(scene)
        assert sent(fake) == []
        after = rig.delivery(delivery)
        assert (after.status, after.attempts, after.claim) == (S.MISSED, 0, None)

    def test_without_grace_it_goes_out_however_late(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        rig.post("Hello", rig.account(), in_(clock, seconds=1), grace=None)
        clock.suspend(timedelta(days=500))

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(1)
            await sim.end()

        play(scene)
        assert len(sent(fake)) == 1

    @pytest.mark.slow
    def test_thousands_are_missed_without_holding_up_what_is_due(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        me, now = rig.account(), clock.now()
        rig.posts(me, [now - timedelta(days=2, seconds=number) for number in range(1010)])
        due = in_(clock, seconds=1)
        rig.post("new", me, due)

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(5)
            await sim.end()

        play(scene)
        assert sent(fake) == [due]
        assert rig.words().count("missed") == 1010

    def test_a_retry_that_comes_too_late_is_missed(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        wait = PlatformError(ErrorKind.RATE_LIMIT, "slow down", after=7200)
        fake.will("publish", wait)
        delivery = rig.post("Hello", rig.account(), clock.now(), grace=HOUR)

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(3 * 3600)
            await sim.end()

        play(scene)
        assert len(sent(fake)) == 1
        assert rig.delivery(delivery).status is S.MISSED
        assert rig.words()[-1] == "missed"


class TestWaking:
    """Nothing polls; what others write is told, or found within 30 seconds."""

    @pytest.mark.sqlite
    def test_an_idle_engine_asks_nothing(self, rig: Rig, clock: FakeClock) -> None:
        me = rig.account()
        for number in range(20):
            rig.post("Hello", me, in_(clock, hours=number + 1))

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(31)
            with statements(rig) as seen:
                before = sim.calls
                await sim.go(600)
                assert seen == []
                assert sim.calls - before < 100
            await sim.end()

        play(scene)

    @pytest.mark.sqlite
    def test_nor_does_one_that_has_done_its_work(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        rig.post("Hello", rig.account(), in_(clock, seconds=1))

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(32)
            assert len(fake.posts) == 1
            with statements(rig) as seen:
                await sim.go(600)
                assert seen == []
            await sim.end()

        play(scene)

    def test_a_wake_up_is_heeded_at_once(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        me = rig.account()

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(100)
            rig.post("Hello", me, clock.now())
            sim.dispatcher.kick()
            await sim.quiet()
            assert sent(fake) == [clock.now()]
            await sim.end()

        play(scene)

    def test_a_lost_wake_up_is_made_up_for(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        me = rig.account()

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(100)
            rig.post("Hello", me, clock.now())
            await sim.quiet()
            assert sent(fake) == []
            await sim.go(30)
            assert len(sent(fake)) == 1
            await sim.end()

        play(scene)

    def test_also_after_a_checkpoint(self, rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
        """The log was moved into the file by whoever wrote: sizes may be as before."""
        me = rig.account()

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(100)
            rig.post("Hello", me, clock.now())
            rig.database.checkpoint()
            await sim.go(30)
            assert len(sent(fake)) == 1
            await sim.end()

        play(scene)

    def test_also_when_the_database_was_replaced(
        self, rig: Rig, clock: FakeClock, tmp_path: Path
    ) -> None:
        """A look at files that are not there, or are others, fails no engine."""

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(10)
            (tmp_path / "posts.db-wal").touch()
            await sim.go(61)
            await sim.end()

        play(scene)


def test_the_higher_priority_first(make: MakeRig, clock: FakeClock, fake: FakePlatform) -> None:
    rig = make(concurrency=1)
    me, due = rig.account(), in_(clock, seconds=5)
    for text, priority in (("low", -1), ("usual", 0), ("high", 7), ("usual too", 0)):
        rig.post(text, me, due, priority=priority)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(6)
        await sim.end()

    play(scene)
    assert [post.text for post in fake.posts] == ["high", "usual", "usual too", "low"]


def test_what_is_due_sooner_than_it_can_be_claimed(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    """Added 100 ms ahead."""
    me = rig.account()

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(1)
        due = in_(clock, seconds=0.1)
        rig.post("Hello", me, due)
        sim.dispatcher.kick()
        await sim.go(1)
        assert sent(fake) == [due]
        await sim.end()

    play(scene)


@pytest.mark.parametrize("ahead", [0.0, 0.001, 5.0])
def test_however_far_ahead_it_is_claimed(
    make: MakeRig, clock: FakeClock, fake: FakePlatform, ahead: float
) -> None:
    rig = make(claim_ahead=timedelta(seconds=ahead))
    me, due = rig.account(), in_(clock, seconds=60)
    rig.post("Hello", me, due)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(61)
        await sim.end()

    play(scene)
    assert sent(fake) == [due]


def test_a_refusal_while_preparing_brings_nothing_forward(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    """Prepared 250 ms ahead, told to come back at once: sent at its instant, by the one claim that
    holds it then."""
    for _ in range(40):
        fake.will("prepare", PlatformError(ErrorKind.RATE_LIMIT, "no", after=0))
    me, due = rig.account(), in_(clock, seconds=60)
    ids = [rig.post("Hello", me, due) for _ in range(10)]

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(70)
        await sim.end()

    play(scene)
    assert len(fake.posts) == 10
    for at in sent(fake):
        assert at is not None
        assert at >= due
    assert {rig.delivery(one).status for one in ids} == {S.PUBLISHED}
