"""What becomes of a delivery, by what the network says."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from postsched.domain.account import AccountState
from postsched.domain.capabilities import Capabilities, Guarantee
from postsched.domain.delivery import Attempt, DeliveryStatus
from postsched.domain.outcome import ErrorKind
from postsched.engine.hands import LEAD
from postsched.platforms.base import PlatformError, Unknown
from postsched.store import accounts as account_rows
from postsched.store import deliveries as delivery_rows
from postsched.store.tables import accounts
from postsched.testing import FakeClock, FakePlatform
from postsched.testing.platform import ABLE, LostAnswer
from tests.engine.conftest import MakeRig
from tests.engine.rig import Rig, Simulation, play
from tests.store import rows

S = DeliveryStatus
NO_CONNECTION = httpx.ConnectError("no route")
LOST = httpx.ReadTimeout("")


def live(rig: Rig, seconds: float) -> None:
    """Let an engine run for so long."""

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(seconds)
        await sim.end()

    play(scene)


def gaps(fake: FakePlatform, verb: str = "publish") -> list[float]:
    """Seconds between the calls of a step."""
    ats = [call.at for call in fake.called(verb) if call.at]
    return [(after - before).total_seconds() for before, after in pairwise(ats)]


def attempts(rig: Rig, delivery: int) -> list[Attempt]:
    with rig.database.read() as connection:
        return delivery_rows.attempts_of(connection, delivery)


class TestTryingAgain:
    """What surely did not go out."""

    def test_three_times_with_growing_waits(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        fake.will("publish", *[NO_CONNECTION] * 9)
        delivery = rig.post("Hello", rig.account(), clock.now())
        live(rig, 3600)
        first, second = gaps(fake)
        assert 60 <= first <= 72.1
        assert 120 <= second <= 144.1
        after = rig.delivery(delivery)
        assert (after.status, after.attempts) == (S.FAILED, 3)
        assert after.problem is not None
        assert after.problem.kind is ErrorKind.TRANSIENT
        assert [attempt.outcome for attempt in attempts(rig, delivery)] == ["retry"] * 3
        assert rig.words() == ["sending", "retrying"] * 2 + ["sending", "failed"]

    def test_until_it_works(self, rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
        fake.will("publish", NO_CONNECTION, NO_CONNECTION)
        delivery = rig.post("Hello", rig.account(), clock.now())
        live(rig, 3600)
        after = rig.delivery(delivery)
        assert (after.status, after.attempts, after.problem) == (S.PUBLISHED, 3, None)
        assert len({call.key for call in fake.called("publish")}) == 1

    def test_many_do_not_return_together(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        me = rig.account()
        fake.will("publish", *[NO_CONNECTION] * 8)
        rig.posts(me, [clock.now()] * 8)
        live(rig, 90)
        returned = [call.at for call in fake.called("publish")][8:]
        assert len(set(returned)) == 8

    def test_when_the_network_says(self, rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
        busy = PlatformError(ErrorKind.TRANSIENT, "maintenance", http_status=503, after=600)
        fake.will("publish", busy)
        rig.post("Hello", rig.account(), clock.now())
        live(rig, 3600)
        assert 600 <= gaps(fake)[0] <= 601.1

    def test_a_rate_limit_counts_nothing(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        reset = clock.now() + timedelta(seconds=900)
        limits = [PlatformError(ErrorKind.RATE_LIMIT, "slow", after=300) for _ in range(5)]
        fake.will("publish", *limits, PlatformError(ErrorKind.RATE_LIMIT, "slow", until=reset))
        delivery = rig.post("Hello", rig.account(), clock.now())
        live(rig, 7200)
        after = rig.delivery(delivery)
        assert (after.status, after.attempts) == (S.PUBLISHED, 1)
        assert all(300 <= gap <= 301.1 for gap in gaps(fake)[:5])

    @pytest.mark.parametrize("kind", [ErrorKind.PERMANENT, ErrorKind.INVALID, ErrorKind.DUPLICATE])
    def test_a_refusal_is_final_at_once(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform, kind: ErrorKind
    ) -> None:
        fake.will("publish", PlatformError(kind, "not like this", http_status=422))
        delivery = rig.post("Hello", rig.account(), clock.now())
        live(rig, 3600)
        after = rig.delivery(delivery)
        assert (after.status, after.attempts) == (S.FAILED, 1)
        assert after.problem is not None
        assert (after.problem.kind, after.problem.http_status) == (kind, 422)
        assert len(fake.called("publish")) == 1

    def test_what_is_of_no_use_any_more_is_prepared_again(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        gone = PlatformError(ErrorKind.TRANSIENT, "the upload is gone", prepare_again=True)
        fake.will("publish", gone)
        rig.post("Hello", rig.account(), clock.now())
        live(rig, 300)
        assert len(fake.called("prepare")) == 2
        assert len(fake.posts) == 1


class TestARefusedLogin:
    """The account is held; its deliveries keep their status until there is a new secret."""

    def refuse(self, fake: FakePlatform, verb: str) -> None:
        refusal = PlatformError(ErrorKind.AUTH, "revoked", hint="Log in again")
        fake.will(verb, refusal, refusal)

    def test_is_met_by_no_more_than_are_under_way(self, make: MakeRig, fake: FakePlatform) -> None:
        """What waits for a hand is given back, and does not knock again by the same login."""
        rig = make(platforms={"fake": fake}, concurrency=5)
        fake.will("publish", *[PlatformError(ErrorKind.AUTH, "revoked")] * 100)
        ids = rig.posts(rig.account(), [rig.clock.now()] * 50)
        live(rig, 60)
        assert len(fake.called("publish")) == 2 * 5
        for one in ids:
            after = rig.delivery(one)
            assert (after.status, after.attempts, after.claim) == (S.SCHEDULED, 0, None)

    @pytest.mark.parametrize("verb", ["prepare", "publish"])
    def test_holds_the_account(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform, verb: str,
        caplog: pytest.LogCaptureFixture,
    ) -> None:  # fmt: skip
        self.refuse(fake, verb)
        me = rig.account()
        delivery = rig.post("Hello", me, clock.now())
        later = rig.post("Later", me, clock.now() + timedelta(seconds=30))
        live(rig, 3600)
        assert len(fake.called(verb)) == 2, "once, and once more with the login renewed"
        assert fake.posts == []
        for one in (delivery, later):
            after = rig.delivery(one)
            assert (after.status, after.attempts, after.claim) == (S.SCHEDULED, 0, None)
        problem = rig.delivery(delivery).problem
        assert problem is not None
        assert problem.kind is ErrorKind.AUTH
        with rig.database.read() as connection:
            held = account_rows.by_name(connection, "me")
        assert held is not None
        assert held.state is AccountState.LOGIN
        mend = "postsched account set me --token-stdin"
        assert held.state_message == f"revoked. Log in again: {mend}"
        assert [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR] == [
            "me: revoked; its posts wait"
        ]

    def test_and_no_other(self, rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
        self.refuse(fake, "publish")
        one = rig.post("Hello", rig.account("one"), clock.now())
        two = rig.post("Hello", rig.account("two"), clock.now() + timedelta(seconds=1))
        live(rig, 60)
        assert rig.delivery(one).status is S.SCHEDULED
        assert rig.delivery(two).status is S.PUBLISHED

    def test_until_there_is_a_new_secret(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        self.refuse(fake, "publish")
        delivery = rig.post("Hello", rig.account(), clock.now())

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(600)
            assert fake.posts == []
            with rig.database.write() as connection:
                connection.execute(update(accounts).values(state="ok"))
            sim.dispatcher.kick()
            await sim.go(1)
            await sim.end()

        play(scene)
        after = rig.delivery(delivery)
        assert (after.status, after.attempts) == (S.PUBLISHED, 1)

    def test_not_if_there_is_one_already(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        """A person gave it while the old one was being refused."""

        def refused_late(call: Any) -> Any:
            with rig.other.write() as connection:
                connection.execute(update(accounts).values(facts_at=clock.now()))
            raise PlatformError(ErrorKind.AUTH, "revoked")

        fake.will("publish", PlatformError(ErrorKind.AUTH, "revoked"), refused_late)
        delivery = rig.post("Hello", rig.account(), clock.now())
        live(rig, 5)
        assert rig.delivery(delivery).status is S.PUBLISHED

    def test_while_the_network_is_asked_the_doubt_stays(
        self, make: MakeRig, clock: FakeClock
    ) -> None:
        fake = FakePlatform(
            Capabilities(guarantee=Guarantee(None, can_look_up=True)), now=clock.now
        )
        rig = make(platforms={"fake": fake})
        fake.will("publish", LostAnswer(LOST))
        self.refuse(fake, "find")
        delivery = rig.post("Hello", rig.account(), clock.now())
        live(rig, 3600)
        after = rig.delivery(delivery)
        assert (after.status, after.claim) == (S.CONFIRMING, None)
        with rig.database.write() as connection:
            connection.execute(update(accounts).values(state="ok"))
        live(rig, 60)
        assert rig.delivery(delivery).status is S.PUBLISHED
        assert len(fake.called("publish")) == 1


class TestALostAnswer:
    """It may be out: never sent again unless the network is known to take it for the same."""

    def test_within_the_memory_for_keys_the_same_is_sent(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        fake.will("publish", LostAnswer(LOST))
        delivery = rig.post("Hello", rig.account(), clock.now())
        live(rig, 60)
        after = rig.delivery(delivery)
        assert (after.status, after.attempts, len(fake.posts)) == (S.PUBLISHED, 1, 1)
        assert len({call.key for call in fake.called("publish")}) == 1
        assert rig.words() == ["sending", "confirming", "sending", "published"]
        actions = [(one.action, one.outcome) for one in attempts(rig, delivery)]
        assert actions == [("publish", "answer lost"), ("ask", "published")]

    def test_past_it_the_network_is_asked(
        self, make: MakeRig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        minute = Guarantee(timedelta(seconds=60), can_look_up=True)
        fake.able = Capabilities(guarantee=minute)
        rig = make()
        silence = [httpx.ReadTimeout("") for _ in range(6)]
        fake.will("publish", LostAnswer(LOST), *silence)
        delivery = rig.post("Hello", rig.account(), clock.now())
        live(rig, 3600)
        after = rig.delivery(delivery)
        assert (after.status, len(fake.posts)) == (S.PUBLISHED, 1)
        first = fake.called("publish")[0].at
        last = fake.called("publish")[-1].at
        assert first is not None
        assert last is not None
        assert (last - first).total_seconds() < 60
        assert len(fake.called("find")) == 1

    def test_not_there_counts_only_after_every_look(self, make: MakeRig, clock: FakeClock) -> None:
        looks = Guarantee(None, can_look_up=True, look_ups=(2.0, 30.0, 60.0))
        fake = FakePlatform(Capabilities(guarantee=looks), now=clock.now)
        rig = make(platforms={"fake": fake})
        fake.will("publish", LOST)
        delivery = rig.post("Hello", rig.account(), clock.now())
        live(rig, 300)
        assert len(fake.called("find")) == 3
        assert [round(gap) for gap in gaps(fake, "find")] == [30, 60]
        after = rig.delivery(delivery)
        assert (after.status, after.attempts, len(fake.posts)) == (S.PUBLISHED, 2, 1)

    def test_a_post_that_is_shown_late_is_not_sent_twice(
        self, make: MakeRig, clock: FakeClock
    ) -> None:
        looks = Guarantee(None, can_look_up=True, look_ups=(2.0, 30.0))
        fake = FakePlatform(Capabilities(guarantee=looks), now=clock.now)
        rig = make(platforms={"fake": fake})
        fake.will("publish", LostAnswer(LOST))
        fake.will("find", None)
        delivery = rig.post("Hello", rig.account(), clock.now())
        live(rig, 300)
        assert len(fake.called("publish")) == 1
        assert rig.delivery(delivery).status is S.PUBLISHED

    def test_a_refusal_of_the_same_counts_only_after_every_look(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        """The first may be out and not be shown yet."""
        fake.will("publish", LostAnswer(LOST), *[PlatformError(ErrorKind.INVALID, "no")] * 1)
        fake.will("find", None)
        delivery = rig.post("Hello", rig.account(), clock.now())
        live(rig, 600)
        after = rig.delivery(delivery)
        assert (after.status, len(fake.posts)) == (S.PUBLISHED, 1)

    def test_a_refusal_of_the_same_that_was_never_out_fails(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        fake.will("publish", LOST, *[PlatformError(ErrorKind.INVALID, "too long")] * 9)
        delivery = rig.post("Hello", rig.account(), clock.now())
        live(rig, 3600)
        after = rig.delivery(delivery)
        assert (after.status, fake.posts) == (S.FAILED, [])
        assert after.problem is not None
        assert "too long" in after.problem.message

    def test_without_memory_or_look_a_person_decides(
        self, make: MakeRig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        fake.able = Capabilities(guarantee=Guarantee())
        rig = make()
        fake.will("publish", LostAnswer(LOST))
        delivery = rig.post("Hello", rig.account(), clock.now())
        live(rig, 3600)
        after = rig.delivery(delivery)
        assert (after.status, len(fake.called("publish"))) == (S.UNCONFIRMED, 1)
        assert rig.words()[-1] == "unconfirmed"

    def test_past_a_memory_without_look_a_person_decides_at_once(
        self, make: MakeRig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        fake.able = Capabilities(guarantee=Guarantee(timedelta(seconds=60)))
        rig = make()
        fake.will("publish", LostAnswer(LOST), *[httpx.ReadTimeout("") for _ in range(20)])
        delivery = rig.post("Hello", rig.account(), clock.now())
        live(rig, 600)
        after = rig.delivery(delivery)
        assert (after.status, len(fake.posts)) == (S.UNCONFIRMED, 1)

    @pytest.mark.slow
    def test_a_network_that_never_answers_leaves_it_to_a_person_after_a_day(
        self, make: MakeRig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        fake.able = Capabilities(guarantee=Guarantee(None, can_look_up=True))
        rig = make()
        fake.will("publish", LostAnswer(LOST))
        fake.will("find", *[Unknown("I can't tell")] * 200)
        delivery = rig.post("Hello", rig.account(), clock.now())

        async def scene() -> None:
            sim = Simulation(rig)
            sent_at = clock.now()
            while rig.delivery(delivery).status is not S.UNCONFIRMED:
                assert clock.now() - sent_at < timedelta(hours=25)
                later = rig.delivery(delivery).next_at or clock.now()
                clock.suspend(max(timedelta(0), later - clock.now()))
                sim.dispatcher.kick()
                await sim.go(0.01)
            await sim.end()

        play(scene)
        assert len(fake.called("publish")) == 1
        assert 90 < len(fake.called("find")) < 120

    def test_the_networks_wish_is_heeded_while_asking(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        until = clock.now() + timedelta(seconds=400)
        fake.will(
            "publish", LostAnswer(LOST), PlatformError(ErrorKind.RATE_LIMIT, "no", until=until)
        )
        rig.post("Hello", rig.account(), clock.now())
        live(rig, 600)
        third = fake.called("publish")[2].at
        assert third is not None
        assert third >= until


class TestThreads:
    """Part after part, each durable before the next, then the comment."""

    def thread(self, rig: Rig, clock: FakeClock) -> int:
        return rig.post("One", rig.account(), clock.now(), then=["Two", "Three"], comment="And")

    def test_in_order(self, rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
        delivery = self.thread(rig, clock)
        live(rig, 10)
        assert [post.text for post in fake.posts] == ["One", "Two", "Three", "And"]
        assert [post.parent for post in fake.posts] == [None, "1", "2", "3"]
        after = rig.delivery(delivery)
        assert (after.status, after.attempts) == (S.PUBLISHED, 1)
        assert after.remote_id == "1"
        assert len({post.key for post in fake.posts}) == 4

    @pytest.mark.parametrize("part", [0, 1, 2, 3])
    @pytest.mark.parametrize(
        "error", [NO_CONNECTION, LostAnswer(LOST), LOST, PlatformError(ErrorKind.RATE_LIMIT, "")]
    )
    def test_it_goes_on_at_the_part_that_failed(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform, part: int, error: Any
    ) -> None:
        works = [lambda call: fake._put(call.prepared, call.key)] * part
        fake.will("publish", *works, error)
        delivery = self.thread(rig, clock)
        live(rig, 3600)
        assert [post.text for post in fake.posts] == ["One", "Two", "Three", "And"]
        assert [post.parent for post in fake.posts] == [None, "1", "2", "3"]
        assert rig.delivery(delivery).status is S.PUBLISHED

    def test_a_part_that_is_refused_leaves_what_is_out(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        works = [lambda call: fake._put(call.prepared, call.key)]
        fake.will("publish", *works, PlatformError(ErrorKind.INVALID, "no"))
        delivery = self.thread(rig, clock)
        live(rig, 3600)
        after = rig.delivery(delivery)
        assert (after.status, after.next_step, after.url) == (S.FAILED, 1, "http://127.0.0.1:1/1")

    def test_every_id_is_saved_before_the_next_part(
        self, rig: Rig, clock: FakeClock, fake: FakePlatform
    ) -> None:
        seen: list[int | None] = []

        def look(call: Any) -> Any:
            seen.append(rig.delivery(1).next_step)
            return fake._put(call.prepared, call.key)

        fake.will("publish", *[look] * 4)
        self.thread(rig, clock)
        live(rig, 10)
        assert seen == [0, 1, 2, 3]


def test_what_can_be_settled_by_nobody_is_on_record_before_it_is_sent(
    make: MakeRig, clock: FakeClock, fake: FakePlatform
) -> None:
    """In a commit of its own, at its instant; elsewhere there is none."""
    seen: list[datetime | None] = []

    def look(call: Any) -> Any:
        (delivery,) = [d for d in rows.every(rig.database) if d.status is S.PUBLISHING]
        seen.append(delivery.sent_at)
        return fake._put(call.prepared, call.key)

    fake.able = Capabilities(guarantee=Guarantee())
    fake.will("publish", look)
    rig = make()
    due = clock.now() + timedelta(seconds=5)
    rig.post("Hello", rig.account(), due)
    live(rig, 10)
    assert seen[0] is not None
    assert due - LEAD <= seen[0] <= due
    fake.able = ABLE
    fake.will("publish", look)
    rig.post("Hello", rig.account("other"), clock.now())
    live(rig, 10)
    assert seen[1] is None


def test_lateness_is_counted_from_the_try_it_belongs_to(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    fake.will("publish", NO_CONNECTION)
    delivery = rig.post("Hello", rig.account(), clock.now())
    live(rig, 300)
    after = rig.delivery(delivery)
    assert after.lateness == timedelta(0)
    assert after.started_at == after.due_at
    assert after.due_at > after.occurrence


def test_what_a_post_is_out_without_is_told(
    rig: Rig, clock: FakeClock, fake: FakePlatform, caplog: pytest.LogCaptureFixture
) -> None:
    made = {"text": "hi", "alts": [], "notes": ["the link card\nhas no picture", 7, ""]}
    fake.will("prepare", made)
    delivery = rig.post("hi", rig.account(), clock.now())
    with caplog.at_level(logging.WARNING):
        live(rig, 10)
    assert attempts(rig, delivery)[-1].evidence == "1; the link card has no picture"
    (line,) = [one for one in caplog.messages if "card" in one]
    assert line.endswith("is out, but the link card has no picture")
