"""Rate limits and networks that don't answer: others wait, no attempt is lost, nobody is slowed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from postsched.domain.account import AccountState
from postsched.domain.delivery import DeliveryStatus
from postsched.domain.outcome import ErrorKind, Limit, Problem, Published
from postsched.platforms.base import PlatformError
from postsched.store import accounts as account_rows
from postsched.store import holds, outlook, pauses, said_limits
from postsched.testing import FakeClock, FakePlatform
from postsched.testing.platform import Held
from tests.engine.conftest import MakeRig
from tests.engine.rig import Rig, Simulation, play

S = DeliveryStatus
NO_CONNECTION = httpx.ConnectError("no route")
TOO_LATE = httpx.ReadTimeout("")


def live(rig: Rig, seconds: float) -> None:
    """Let an engine run for so long."""

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(seconds)
        await sim.end()

    play(scene)


def times(rig: Rig, fake: FakePlatform, since: Any) -> list[float]:
    """When it was published to, in seconds since then."""
    return [(call.at - since).total_seconds() for call in fake.called("publish") if call.at]


class TestARateLimit:
    def test_all_of_the_account_wait_and_make_no_request(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        start, me = clock.now(), rig.account()
        fake.will("publish", PlatformError(ErrorKind.RATE_LIMIT, "slow", after=300))
        first = rig.post("first", me, start)
        others = rig.posts(me, [start + timedelta(seconds=n) for n in range(1, 6)])
        other_account = rig.post("elsewhere", rig.account("you"), start + timedelta(seconds=2))
        live(rig, 200)
        assert times(rig, fake, start) == [0, 2]
        assert {rig.delivery(one).status for one in others} == {S.SCHEDULED}
        assert {rig.delivery(one).attempts for one in others} == {0}
        assert rig.delivery(other_account).status is S.PUBLISHED
        live(rig, 200)  # another process knows it too
        assert rig.delivery(first).attempts == 1
        assert min(times(rig, fake, start)[2:]) >= 300  # not early, though claims are made ahead
        assert {rig.delivery(one).status for one in [first, *others]} == {S.PUBLISHED}

    def test_the_last_call_that_is_left_is_the_last_until_the_reset(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        start, me = clock.now(), rig.account()
        none_left = Limit("requests", 0, start + timedelta(seconds=60), 300)
        fake.will("publish", Published("1", limits=(none_left,)))
        rig.posts(me, [start, start + timedelta(seconds=10)])
        live(rig, 30)
        assert times(rig, fake, start) == [0]
        with rig.other.read() as connection:
            assert said_limits.known(connection, clock.now()) == {me.id: [none_left]}
            assert said_limits.known(connection, none_left.reset or start) == {}
        live(rig, 60)
        assert times(rig, fake, start) == [0, 60]

    def test_what_was_claimed_already_is_given_back(
        self, make: MakeRig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        rig = make(concurrency=1)
        start = clock.now()
        fake.will("publish", PlatformError(ErrorKind.RATE_LIMIT, "slow", after=300))
        ids = rig.posts(rig.account(), [start] * 4)
        live(rig, 200)
        assert len(fake.called("publish")) == 1
        after = [rig.delivery(one) for one in ids]
        assert [one.attempts for one in after] == [0, 0, 0, 0]
        assert [one.claim for one in after] == [None] * 4
        live(rig, 200)
        assert {rig.delivery(one).status for one in ids} == {S.PUBLISHED}

    def test_the_daemon_sleeps_till_then(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        me = rig.account()
        fake.will("publish", PlatformError(ErrorKind.RATE_LIMIT, "slow", after=3600))
        rig.posts(me, [clock.now()] * 3)
        statements: list[float] = []

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(10)
            event.listen(
                rig.database.engine, "before_cursor_execute", lambda *_: statements.append(1)
            )
            await sim.go(3400)
            slept = len(statements)
            await sim.go(300)
            await sim.end()
            if rig.database.path is not None:  # a server is told from time to time that it lives
                assert slept == 0

        play(scene)
        assert len(fake.posts) == 3

    def test_what_is_past_its_grace_meanwhile_is_missed(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        me = rig.account()
        fake.will("publish", PlatformError(ErrorKind.RATE_LIMIT, "slow", after=600))
        rig.post("first", me, clock.now())
        soon = clock.now() + timedelta(seconds=5)
        late = rig.post("late", me, soon, grace=timedelta(minutes=5))
        live(rig, 304)
        assert rig.delivery(late).status is S.SCHEDULED
        live(rig, 2)  # at the end of its grace, not at that of the hold
        after = rig.delivery(late)
        assert after.status is S.MISSED
        assert after.problem == Problem(ErrorKind.RATE_LIMIT, "slow")
        assert rig.words()[-1] == "missed"
        live(rig, 400)
        assert len(fake.posts) == 1

    @pytest.mark.parametrize("held", ["login", "retry"])
    def test_so_it_is_whatever_keeps_it(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform, held: str
    ) -> None:
        """A refused login, a retry that the network wants later."""
        me, start = rig.account(), clock.now()
        late = rig.post("late", me, start, grace=timedelta(minutes=5))
        if held == "login":
            with rig.database.write() as connection:
                account_rows.set_state(connection, me.id, AccountState.LOGIN, "refused")
        else:
            fake.will("publish", PlatformError(ErrorKind.TRANSIENT, "later", after=3000))
        live(rig, 310)
        assert rig.delivery(late).status is S.MISSED
        assert fake.posts == []

    @pytest.mark.parametrize("held", ["post", "account", "all"])
    def test_what_a_person_holds_keeps_its_status(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform, held: str
    ) -> None:
        late = rig.post("late", rig.account(), clock.now(), grace=timedelta(minutes=5))
        with rig.database.write() as connection:
            if held == "all":
                pauses.set_all_paused(connection, paused=True)
            else:
                connection.exec_driver_sql(
                    f"UPDATE {'deliveries' if held == 'post' else 'accounts'} SET paused = 1"
                )
        live(rig, 400)
        assert rig.delivery(late).status is S.SCHEDULED


class TestABreaker:
    def test_three_silences_stop_everything_to_the_service(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        start, me, you = clock.now(), rig.account("me"), rig.account("you")
        fake.will("publish", *[NO_CONNECTION] * 3)
        first = rig.posts(me, [start + timedelta(seconds=n) for n in range(3)])
        waiting = rig.posts(you, [start + timedelta(seconds=5)] * 6)
        live(rig, 25)
        assert len(fake.called("publish")) == 3
        assert {rig.delivery(one).status for one in waiting} == {S.SCHEDULED}
        with rig.other.read() as connection:
            ((platform, url, hold),) = holds.broken(connection)
            assert (platform, url, hold.opened) == ("fake", "", 1)
            assert outlook.look(connection, 0).is_held(you.id, clock.now())
        live(rig, 120)
        assert {rig.delivery(one).status for one in [*first, *waiting]} == {S.PUBLISHED}
        with rig.other.read() as connection:
            assert holds.broken(connection) == []
            assert holds.waits(connection) == {}

    def test_half_open_lets_one_at_a_time_through(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        start, me = clock.now(), rig.account()
        fake.will("publish", *[NO_CONNECTION] * 3)
        rig.posts(me, [start] * 3)
        trial = Held()
        rig.posts(me, [start + timedelta(seconds=2)] * 20)
        fake.will("publish", NO_CONNECTION, NO_CONNECTION, trial)

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(29)
            assert len(fake.called("publish")) == 3
            await sim.go(8)
            assert len(fake.called("publish")) == 4
            await sim.go(75)
            assert len(fake.called("publish")) == 5
            await sim.go(150)
            assert len(fake.called("publish")) == 6  # it hangs, and no other is tried beside it
            await sim.go(20)
            assert len(fake.called("publish")) == 6
            trial.event.set()
            await sim.quiet()
            await sim.go(1)
            assert len(fake.posts) >= 19
            await sim.end()

        play(scene)

    def test_questions_count_and_wait_too(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        start, me = clock.now(), rig.account()
        fake.will("publish", *[TOO_LATE] * 5)
        doubt = rig.post("doubt", me, start)
        live(rig, 28)
        asked = len(fake.called("publish"))
        assert asked == 3  # the first, and the same again after 1 and 2 seconds
        assert rig.delivery(doubt).status is S.CONFIRMING
        live(rig, 1800)
        assert rig.delivery(doubt).status is S.PUBLISHED
        assert len(fake.posts) == 1

    def test_an_answer_in_between_keeps_it_closed(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        start, me = clock.now(), rig.account()
        refusal = PlatformError(ErrorKind.INVALID, "no", http_status=422)
        for _ in range(3):
            fake.will("publish", NO_CONNECTION, NO_CONNECTION, refusal)
        rig.posts(me, [start + timedelta(seconds=n) for n in range(9)])
        live(rig, 20)
        assert len(fake.called("publish")) == 9

    @pytest.mark.parametrize("hangs", [True, False])
    def test_a_dead_network_slows_no_other(
        self, make: MakeRig, clock: FakeClock, hangs: bool
    ) -> None:
        dead, well = FakePlatform(now=clock.now), FakePlatform(now=clock.now)
        gate = Held()
        dead.will("publish", *[gate if hangs else NO_CONNECTION] * 200)
        rig = make(platforms={"dead": dead, "well": well}, concurrency=5, concurrency_total=8)
        start = clock.now()
        rig.posts(rig.account("a", "dead"), [start] * 100)
        ids = rig.posts(rig.account("b", "well"), [start + timedelta(seconds=n) for n in range(60)])
        called = 0

        async def scene() -> None:
            nonlocal called
            sim = Simulation(rig)
            await sim.go(62)
            called = len(dead.called("publish"))
            sim.dispatcher.hands.closed = True  # what hangs is let go on, and no other begun
            gate.event.set()
            await sim.quiet()
            await sim.end()

        play(scene)
        assert {rig.delivery(one).lateness for one in ids} == {timedelta(0)}
        assert called <= 9

    def test_a_removed_account_takes_its_hold_with_it(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        me = rig.account()
        fake.will("publish", *[NO_CONNECTION] * 3)
        rig.posts(me, [clock.now()] * 3)
        live(rig, 10)
        with rig.database.write() as connection:
            account_rows.remove(connection, me.id)
        with rig.other.read() as connection:
            assert holds.waits(connection) == {}
