"""From what an attempt came to, to the move it means."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from postsched.domain.capabilities import FOREVER, Guarantee
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.outcome import (
    Absent,
    ErrorKind,
    Failed,
    LetGo,
    Lost,
    NotKnown,
    Problem,
    Published,
    Retry,
)
from postsched.domain.retry import RetryPolicy
from postsched.domain.settling import DOUBT_ENDS, Judge
from tests.domain.samples import NOON, PROBLEM, at, claim, delivery, steps

S = DeliveryStatus
OUT = Published("id1", "http://x/1")
HOUR = Guarantee(timedelta(hours=1), can_look_up=True)


def judge(seconds: float = 1, guarantee: Guarantee = HOUR, **policy: Any) -> Judge:
    """A judge so many seconds after noon."""
    return Judge(guarantee, RetryPolicy(**policy), at(seconds), Random(1))


class TestSending:
    """What a step that was sent comes to."""

    def test_out(self) -> None:
        after = judge().sent(delivery(S.PUBLISHING), OUT, at(0.25))
        assert (after.status, after.published_at) == (S.PUBLISHED, at(1))
        assert (after.started_at, after.lateness) == (at(0.25), timedelta(seconds=0.25))

    def test_lateness_is_of_the_first_part(self) -> None:
        held = delivery(S.PUBLISHING, steps=steps(2))
        first = judge().sent(held, OUT, at(0.25))
        second = judge(9).sent(first, replace(OUT, remote_id="id2"), at(8))
        assert (second.started_at, second.lateness) == (at(0.25), timedelta(seconds=0.25))

    def test_refused(self) -> None:
        after = judge().sent(delivery(S.PUBLISHING), Failed(PROBLEM), at(0))
        assert (after.status, after.problem, after.attempts) == (S.FAILED, PROBLEM, 1)

    def test_again_later_until_the_attempts_are_used_up(self) -> None:
        retry = Retry(PROBLEM)
        after = judge().sent(delivery(S.PUBLISHING, attempts=2), retry, at(0))
        assert after.status is S.RETRYING
        assert after.next_at is not None
        assert at(121) <= after.next_at <= at(146)
        after = judge().sent(delivery(S.PUBLISHING, attempts=3), retry, at(0))
        assert (after.status, after.problem) == (S.FAILED, PROBLEM)

    def test_a_rate_limit_counts_nothing_even_at_the_last_attempt(self) -> None:
        limited = Retry(PROBLEM, after=900, counts=False)
        after = judge().sent(delivery(S.PUBLISHING, attempts=3), limited, at(0))
        assert (after.status, after.attempts) == (S.RETRYING, 2)
        assert after.next_at is not None
        assert after.next_at >= at(901)

    def test_let_go(self) -> None:
        after = judge().sent(delivery(S.PUBLISHING), LetGo(PROBLEM, here=True), at(0))
        assert (after.status, after.attempts, after.next_at) == (S.SCHEDULED, 0, NOON)

    def test_what_is_of_no_use_is_prepared_again(self) -> None:
        held = delivery(S.PUBLISHING, steps=steps(3, out=1))
        after = judge().sent(held, Retry(PROBLEM, prepare_again=True), at(0))
        assert [step.prepared is None for step in after.steps] == [False, True, False]

    @pytest.mark.parametrize(
        "retry", [Retry(PROBLEM, after=0), Retry(PROBLEM, after=0, counts=False)]
    )
    def test_nothing_is_brought_forward(self, retry: Retry) -> None:
        """Refused while it was prepared, 250 ms before it is due: the next try is not early."""
        held = delivery(S.PUBLISHING, claim=claim(seconds=-0.25))
        for seed in range(40):
            early = Judge(
                HOUR, RetryPolicy(delay=timedelta(milliseconds=10)), at(-0.24), Random(seed)
            )
            after = early.sent(held, retry, at(-0.25))
            assert after.next_at is not None
            assert after.due_at >= NOON
            assert after.next_at >= NOON


class TestALostAnswer:
    """Asked soon where the same can be sent again, later where it is looked for."""

    def test_within_the_memory_for_keys(self) -> None:
        after = judge().sent(delivery(S.PUBLISHING), Lost(PROBLEM), at(0))
        assert (after.status, after.sent_at) == (S.CONFIRMING, at(0))
        assert after.next_at is not None
        assert at(2) <= after.next_at <= at(2.3)

    def test_a_refusal_for_good_is_final_once_it_surely_is_not_out(self) -> None:
        refusal = Problem(ErrorKind.PERMANENT, "taken for spam")
        asked = delivery(S.CONFIRMING, problem=refusal, not_there=1, sent_at=at(0))
        after = judge().asked(asked, Absent("it was asked"))
        assert (after.status, after.problem) == (S.FAILED, refusal)

    def test_where_it_can_only_be_looked_for(self) -> None:
        only = Guarantee(None, can_look_up=True, look_ups=(7.0, 30.0))
        after = judge(1, only).sent(delivery(S.PUBLISHING), Lost(PROBLEM), at(0))
        assert after.next_at == at(8)

    def test_without_any_wait_declared(self) -> None:
        careless = Guarantee(None, can_look_up=True, look_ups=())
        after = judge(1, careless).sent(delivery(S.PUBLISHING), Lost(PROBLEM), at(0))
        assert (after.status, after.next_at) == (S.CONFIRMING, at(1))

    def test_where_nothing_can_settle_it(self) -> None:
        after = judge(1, Guarantee()).sent(delivery(S.PUBLISHING), Lost(PROBLEM), at(0))
        assert (after.status, after.sent_at, after.problem) == (S.UNCONFIRMED, at(0), PROBLEM)


class TestMemory:
    """How long the same may be sent again."""

    def test_it_ends(self) -> None:
        assert judge(3599).remembers(NOON)
        assert not judge(3600).remembers(NOON)

    def test_it_may_never_end_or_not_exist(self) -> None:
        assert judge(1e9, Guarantee(FOREVER)).remembers(NOON)
        assert not judge(0, Guarantee(None, can_look_up=True)).remembers(NOON)

    def test_past_it_only_what_can_be_looked_for_is_still_settled(self) -> None:
        short = Guarantee(timedelta(hours=1))
        assert judge(60, short).can_settle(NOON)
        assert not judge(3600, short).can_settle(NOON)
        assert judge(3600, HOUR).can_settle(NOON)
        assert not judge(0, Guarantee()).can_settle(NOON)


class TestAsking:
    """What the network's answer comes to."""

    def test_found(self) -> None:
        after = judge().asked(delivery(S.CONFIRMING, claim=claim()), OUT)
        assert (after.status, after.attempts, after.remote_id) == (S.PUBLISHED, 1, "id1")

    def test_found_and_more_to_come(self) -> None:
        after = judge().asked(delivery(S.CONFIRMING, claim=claim(), steps=steps(2)), OUT)
        assert (after.status, after.claim, after.next_step) == (S.PUBLISHING, claim(), 1)

    def test_refused(self) -> None:
        after = judge().asked(delivery(S.CONFIRMING), Failed(PROBLEM))
        assert (after.status, after.problem) == (S.FAILED, PROBLEM)

    def test_absent_counts_only_after_the_last_look(self) -> None:
        three = Guarantee(None, can_look_up=True, look_ups=(2.0, 30.0, 300.0))
        now, asking = 2.0, delivery(S.CONFIRMING)
        for seen, wait in ((1, 30.0), (2, 300.0)):
            asking = judge(now, three).asked(asking, Absent("not there"))
            now += wait
            assert (asking.status, asking.not_there, asking.next_at) == (
                S.CONFIRMING,
                seen,
                at(now),
            )
        after = judge(now, three).asked(asking, Absent("not there"))
        assert (after.status, after.next_at, after.attempts) == (S.RETRYING, at(now), 1)

    def test_absent_without_attempts_left(self) -> None:
        asking = delivery(S.CONFIRMING, attempts=3, not_there=1)
        after = judge().asked(asking, Absent("not there"))
        assert after.status is S.FAILED
        assert after.problem is not None
        assert "not there" in after.problem.message

    def test_silence_between_two_looks_does_not_count_as_absent(self) -> None:
        asking = judge().asked(delivery(S.CONFIRMING), Absent("not there"))
        asking = judge(40).asked(asking, NotKnown(PROBLEM))
        assert (asking.status, asking.not_there, asking.asked) == (S.CONFIRMING, 1, 1)

    def test_a_wish_of_the_network_is_heeded(self) -> None:
        after = judge().asked(delivery(S.CONFIRMING), NotKnown(PROBLEM, after=500))
        assert after.next_at is not None
        assert after.next_at >= at(501)

    def test_a_person_decides_after_a_day(self) -> None:
        day = DOUBT_ENDS.total_seconds()
        asking = delivery(S.CONFIRMING, asked=50)
        after = judge(day - 2000).asked(asking, NotKnown(PROBLEM))
        assert after.status is S.CONFIRMING
        after = judge(day - 800).asked(asking, NotKnown(PROBLEM))
        assert (after.status, after.problem, after.sent_at) == (S.UNCONFIRMED, PROBLEM, NOON)

    def test_nor_does_a_keyring_that_is_away_prolong_it(self) -> None:
        asking = delivery(S.CONFIRMING, asked=50)
        away = LetGo(Problem(ErrorKind.AUTH, "the keyring is locked"), here=True)
        assert judge(1000).asked(asking, away).status is S.CONFIRMING
        assert judge(90_000).asked(asking, away).status is S.UNCONFIRMED

    def test_a_refused_login_waits_for_the_person(self) -> None:
        asking = delivery(S.CONFIRMING, asked=50)
        refused = LetGo(Problem(ErrorKind.AUTH, "the token was revoked"))
        after = judge(90_000).asked(asking, refused)
        assert (after.status, after.problem) == (S.CONFIRMING, refused.problem)


class TestRefusedAsEqual:
    """The network refuses it as one that it has, and does not show that one."""

    WORDS = Problem(ErrorKind.DUPLICATE, "there is one like it", 403, "Change the text")
    ASKED = Guarantee(None, can_look_up=True, look_ups=(2.0,))

    def absent(self, attempts: int) -> Delivery:
        doubtful = delivery(S.CONFIRMING, attempts=attempts, problem=self.WORDS)
        return judge(guarantee=self.ASKED).asked(doubtful, Absent("it is not there"))

    def test_at_the_first_try_it_is_another_post(self) -> None:
        after = self.absent(1)
        assert (after.status, after.problem) == (S.FAILED, self.WORDS)

    def test_later_it_may_be_this_one_and_a_person_decides(self) -> None:
        after = self.absent(2)
        assert after.status is S.UNCONFIRMED
        assert after.problem is not None
        assert after.problem.kind is ErrorKind.UNCONFIRMED
        assert after.problem.message == self.WORDS.message
        assert after.problem.hint is None, "another text would be another post"
