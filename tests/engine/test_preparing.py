"""Preparing ahead: invisible, durable, and never in the way of the instant."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import PlatformError
from postsched.service import deliveries as service
from postsched.service import pausing
from postsched.service.deliveries import Which
from postsched.service.desk import Desk
from postsched.store import plans
from postsched.store.plans import Planned
from postsched.store.tables import accounts
from postsched.testing import FakeClock, FakePlatform
from postsched.testing.platform import Held
from tests.engine.conftest import MakeRig
from tests.engine.rig import Rig, Simulation, play

S = DeliveryStatus
TEN = timedelta(minutes=10)
HOUR = timedelta(hours=1)


def pictured(rig: Rig, due: datetime, name: str = "me", **more: Any) -> int:
    """A post that is to be prepared ten minutes ahead."""
    return rig.post("Hello", rig.account(name), due, prepare_at=due - TEN, **more)


def desk(rig: Rig) -> Desk:
    """Where a person works on the same database."""
    return Desk(rig.database, rig.settings, rig.clock.now, ZoneInfo("UTC"))


def at(fake: FakePlatform, verb: str) -> list[datetime | None]:
    return [call.at for call in fake.called(verb)]


def test_ten_minutes_ahead_and_then_only_sent(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    due = clock.now() + HOUR
    delivery = pictured(rig, due)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go_to(due - TEN)
        after = rig.delivery(delivery)
        assert (after.status, after.claim, after.attempts) == (S.SCHEDULED, None, 0)
        assert after.steps[0].prepared == {"text": "Hello", "alts": []}
        await sim.go_to(due)
        await sim.end()

    play(scene)
    assert at(fake, "prepare") == [due - TEN]
    assert at(fake, "publish") == [due]


def test_what_is_made_of_the_ids_before_is_prepared_when_they_are_there(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    fake.able = replace(fake.able, prepares_in_turn=True)
    due = clock.now() + HOUR
    delivery = pictured(rig, due, then=["Two"], comment="And")
    on_record: list[bool] = []

    def publish(call: Any) -> Any:
        steps = rig.delivery(delivery).steps
        on_record.append(steps[len(on_record)].prepared is not None)
        return fake._put(call.prepared, call.key)

    fake.will("publish", publish, publish, publish)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go_to(due - TEN)
        assert len(fake.called("prepare")) == 1
        await sim.go_to(due + timedelta(seconds=1))
        await sim.end()

    play(scene)
    ids = [post.remote_id for post in fake.posts]
    assert [call.verb for call in fake.calls] == ["prepare", "publish"] * 3
    messages = [call.message for call in fake.called("prepare") if call.message]
    assert [(m.root and m.root.remote_id, m.parent and m.parent.remote_id) for m in messages] == [
        (None, None), (ids[0], ids[0]), (ids[0], ids[1])
    ]  # fmt: skip
    assert on_record == [True, True, True]


def test_every_part_is(rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
    due = clock.now() + HOUR
    pictured(rig, due, then=["Two"], comment="And")

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go_to(due - TEN)
        assert len(fake.called("prepare")) == 3
        await sim.go_to(due + timedelta(seconds=1))
        await sim.end()

    play(scene)
    assert len(fake.called("prepare")) == 3
    assert len(fake.posts) == 3


@pytest.mark.parametrize("kind", [ErrorKind.TRANSIENT, ErrorKind.INVALID, ErrorKind.RATE_LIMIT])
def test_one_that_fails_is_tried_again_each_minute(
    rig: Rig, clock: FakeClock, fake: FakePlatform, kind: ErrorKind
) -> None:
    fake.will("prepare", *[PlatformError(kind, "no") for _ in range(4)])
    due = clock.now() + HOUR
    delivery = pictured(rig, due)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go_to(due)
        await sim.end()

    play(scene)
    minutes = [due - TEN + timedelta(minutes=n) for n in range(5)]
    assert at(fake, "prepare") == minutes
    assert at(fake, "publish") == [due]
    assert rig.delivery(delivery).attempts == 1


def test_one_that_fails_to_the_end_is_judged_when_it_is_due(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    fake.will("prepare", *[PlatformError(ErrorKind.INVALID, "too large")] * 20)
    due = clock.now() + HOUR
    delivery = pictured(rig, due)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go_to(due - timedelta(seconds=1))
        assert rig.delivery(delivery).status is S.SCHEDULED
        await sim.go(2)
        await sim.end()

    play(scene)
    after = rig.delivery(delivery)
    assert (after.status, after.attempts) == (S.FAILED, 1)
    assert fake.posts == []


class TestAPersonChangesIt:
    """While it is being prepared it is still theirs to change; the result is thrown away."""

    def preparing(self, rig: Rig, clock: FakeClock, fake: FakePlatform) -> tuple[int, Held]:
        gate = Held()
        fake.will("prepare", gate)
        return pictured(rig, clock.now() + HOUR), gate

    def test_cancelled(self, rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
        delivery, gate = self.preparing(rig, clock, fake)

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go_to(clock.now() + HOUR - TEN)
            assert rig.delivery(delivery).claim
            service.cancel(desk(rig), [rig.delivery(delivery).post_id], Which())
            gate.event.set()
            await sim.go(3600)
            await sim.end()

        play(scene)
        after = rig.delivery(delivery)
        assert (after.status, after.claim, after.steps) == (S.CANCELLED, None, ())
        assert fake.posts == []

    def test_edited(self, rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
        """What was prepared of the old text is never sent."""
        delivery, gate = self.preparing(rig, clock, fake)
        later = clock.now() + 2 * HOUR

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go_to(clock.now() + HOUR - TEN)
            before = rig.delivery(delivery)
            with rig.database.write() as connection:
                connection.exec_driver_sql("UPDATE posts SET text = 'New'")
                planned = Planned(before.post_id, before.account_id, later, None)
                plans.rewrite_plan(
                    connection, before,
                    replace(before, due_at=later, next_at=later), planned,
                )  # fmt: skip
            sim.dispatcher.kick()
            gate.event.set()
            await sim.quiet()
            assert rig.delivery(delivery).steps == ()
            await sim.go_to(later + timedelta(seconds=1))
            await sim.end()

        play(scene)
        assert [post.text for post in fake.posts] == ["New"]
        assert fake.posts[0].key != fake.called("prepare")[0].key

    def test_paused(self, rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
        """The preparation goes on; it is invisible. Nothing is sent."""
        delivery, gate = self.preparing(rig, clock, fake)

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go_to(clock.now() + HOUR - TEN)
            pausing.pause(desk(rig), [rig.delivery(delivery).post_id])
            sim.dispatcher.kick()
            gate.event.set()
            await sim.go(3600)
            assert fake.posts == []
            pausing.resume(desk(rig), [rig.delivery(delivery).post_id])
            sim.dispatcher.kick()
            await sim.go(1)
            await sim.end()

        play(scene)
        assert len(fake.posts) == 1
        assert len(fake.called("prepare")) == 1


def test_a_worker_that_dies_while_preparing(
    make: MakeRig, clock: FakeClock, fake: FakePlatform
) -> None:
    """Its claim ends with it; the next one prepares it, still ahead. No attempt is lost."""
    rig = make()
    fake.will("prepare", Held())
    due = clock.now() + HOUR
    delivery = pictured(rig, due)

    async def dying() -> None:
        sim = Simulation(rig)
        await sim.go_to(due - TEN)
        assert rig.delivery(delivery).claim
        sim.engine.bell.take_down(keep=True)  # what the end of its process does
        sim.engine.turns.close()

    play(dying)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(1)
        after = rig.delivery(delivery)
        assert (after.status, after.claim, after.attempts) == (S.SCHEDULED, None, 0)
        assert after.steps[0].prepared is not None
        await sim.go_to(due + timedelta(seconds=1))
        await sim.end()

    play(scene)
    assert at(fake, "prepare") == [due - TEN, due - TEN]
    assert at(fake, "publish") == [due]
    assert rig.delivery(delivery).attempts == 1


def test_a_preparation_that_takes_until_after_its_instant(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    """Nobody else begins it meanwhile, and it goes out as soon as it is ready."""
    gate = Held()
    fake.will("prepare", gate)
    due = clock.now() + HOUR
    pictured(rig, due)

    async def scene() -> None:
        sim, other = Simulation(rig), Simulation(rig)
        await sim.go_to(due + timedelta(minutes=5))
        await other.go(1)
        assert len(fake.called("prepare")) == 1
        gate.event.set()
        await sim.go(1)
        await sim.end()
        await other.end()

    play(scene)
    assert len(fake.called("prepare")) == 1
    assert len(fake.posts) == 1


@pytest.mark.parametrize("state", ["login", "paused"])
def test_nothing_is_prepared_for_an_account_that_is_held(
    rig: Rig, clock: FakeClock, fake: FakePlatform, state: str
) -> None:
    due = clock.now() + HOUR
    pictured(rig, due)
    with rig.database.write() as connection:
        held: dict[str, Any] = {"state": "login"} if state == "login" else {"paused": 1}
        connection.execute(update(accounts).values(held))

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go_to(due + timedelta(seconds=1))
        assert fake.called("prepare") == []
        with rig.database.write() as connection:
            connection.execute(update(accounts).values(state="ok", paused=0))
        sim.dispatcher.kick()
        await sim.go(1)
        await sim.end()

    play(scene)
    assert len(fake.posts) == 1


def test_uploads_that_hang_do_not_hold_up_what_is_due(
    make: MakeRig, clock: FakeClock, fake: FakePlatform
) -> None:
    """More of them than there are hands."""
    slow = FakePlatform(now=clock.now)
    rig = make(platforms={"fake": fake, "slow": slow}, concurrency=2)
    slow.will("prepare", *[Held() for _ in range(50)])
    me, due = rig.account("slow", "slow"), clock.now() + HOUR
    rig.posts(me, [due] * 8, prepare_at=due - TEN)
    good = rig.post("Good", rig.account(), due)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go_to(due + timedelta(seconds=1))
        assert rig.delivery(good).lateness == timedelta(0)
        await sim.dispatcher.stop(0)
        await sim.engine.close()

    play(scene)


def test_what_hangs_while_it_is_prepared_keeps_no_other_platform_from_beginning(
    make: MakeRig, clock: FakeClock, fake: FakePlatform
) -> None:
    """Nor, for ever, another account of its own: they share the platform's hands."""
    slow = FakePlatform(now=clock.now)
    rig = make(platforms={"fake": fake, "slow": slow}, concurrency=4)
    slow.will("prepare", *[Held() for _ in range(50)])
    due = clock.now() + HOUR
    for name in ("hanging", "neighbour"):
        rig.posts(rig.account(name, "slow"), [due] * 8, prepare_at=due - TEN)
    pictured(rig, due)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go_to(due - TEN)
        assert at(fake, "prepare") == [due - TEN]
        names = [call.login.account for call in slow.called("prepare")]
        assert sorted(names) == ["hanging"] * 2 + ["neighbour"] * 2
        await sim.dispatcher.stop(0)
        await sim.engine.close()

    play(scene)


def test_what_is_prepared_at_the_claim_is_ready_before_its_instant(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    due = clock.now() + timedelta(seconds=60)
    rig.post("Hello", rig.account(), due)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(61)
        await sim.end()

    play(scene)
    assert at(fake, "prepare") == [due - timedelta(milliseconds=250)]
    assert at(fake, "publish") == [due]


def test_what_was_prepared_long_ago_is_prepared_anew(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    """Networks keep uploads for hours only."""
    due = clock.now() + HOUR
    pictured(rig, due)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go_to(due - TEN)
        await sim.end()

    play(scene)
    clock.advance(timedelta(hours=12))

    async def later() -> None:
        sim = Simulation(rig)
        await sim.go(1)
        await sim.end()

    play(later)
    assert len(fake.called("prepare")) == 2
    assert len(fake.posts) == 1


def test_a_preparation_is_not_repeated_by_a_second_engine(
    rig: Rig, clock: FakeClock, fake: FakePlatform, tmp_path: Path
) -> None:
    gate = Held()
    fake.will("prepare", gate)
    due = clock.now() + TEN
    pictured(rig, due)

    async def scene() -> None:
        one, two = Simulation(rig), Simulation(rig)
        await one.quiet()
        await two.quiet()
        assert len(fake.called("prepare")) == 1
        gate.event.set()
        await asyncio.sleep(0)
        for sim in (one, two):
            await sim.quiet()
        await one.go_to(due + timedelta(seconds=1))
        await two.quiet()
        await one.end()
        await two.end()

    play(scene)
    assert len(fake.called("prepare")) == 1
    assert len(fake.posts) == 1
