"""The state machine: every move from every status, against the table of the house."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postsched.domain import moves
from postsched.domain.capabilities import FOREVER, Guarantee
from postsched.domain.delivery import Delivery, DeliveryStatus, Role, Step, delivery_key
from postsched.domain.moves import MOVES
from postsched.domain.outcome import ErrorKind, Problem, Published
from tests.domain.samples import NOON, PROBLEM, at, claim, delivery, steps

S = DeliveryStatus
KNOWS_KEYS = Guarantee(FOREVER)
CAN_BE_ASKED = Guarantee(None, can_look_up=True)
NEITHER = Guarantee()
OUT = Published("id1", "http://x/1")

HOUSE: dict[str, set[tuple[str, str]]] = {
    "claim": {("scheduled", "publishing"), ("retrying", "publishing")},
    "claim_to_ask": {("confirming", "confirming")},
    "let_go": {("publishing", "scheduled"), ("publishing", "retrying")},
    "rate_limited": {("publishing", "retrying")},
    "step_out": {
        ("publishing", "publishing"),
        ("publishing", "published"),
        ("publishing", "confirming"),
        ("confirming", "publishing"),
        ("confirming", "published"),
        ("confirming", "confirming"),
    },
    "refuse": {("publishing", "failed"), ("confirming", "failed")},
    "retry_later": {("publishing", "retrying"), ("confirming", "retrying")},
    "lose": {("publishing", "confirming"), ("publishing", "unconfirmed")},
    "ask_again": {("confirming", "confirming")},
    "give_to_person": {("confirming", "unconfirmed")},
    "claim_ran_out": {
        ("publishing", "scheduled"),
        ("publishing", "retrying"),
        ("publishing", "confirming"),
        ("publishing", "unconfirmed"),
        ("confirming", "confirming"),
    },
    "miss": {("scheduled", "missed"), ("retrying", "missed")},
    "cancel": {
        ("scheduled", "cancelled"),
        ("retrying", "cancelled"),
        ("failed", "cancelled"),
        ("missed", "cancelled"),
    },
    "retry": {("failed", "scheduled"), ("missed", "scheduled"), ("cancelled", "scheduled")},
    "resolve_published": {
        ("unconfirmed", "published"),
        ("unconfirmed", "scheduled"),
        ("unconfirmed", "unconfirmed"),
    },
    "doubt": {
        ("scheduled", "confirming"),
        ("scheduled", "unconfirmed"),
        ("retrying", "confirming"),
        ("retrying", "unconfirmed"),
        ("publishing", "confirming"),
        ("publishing", "unconfirmed"),
        ("confirming", "confirming"),
        ("confirming", "unconfirmed"),
        ("unconfirmed", "unconfirmed"),
    },
    "resolve_absent": {("unconfirmed", "scheduled")},
}
"""The state machine as the house describes it: (from, to) of every move."""

VARIANTS: tuple[dict[str, object], ...] = (
    {},
    {"came_from": S.RETRYING},
    {"steps": steps(2)},
    {"steps": steps(1, prepared=False)},
    {"sent_at": NOON},
    {"steps": tuple(replace(step, doubtful=True) for step in steps(2))},
)
"""What a move may find in a delivery that changes where it leads."""

CALLS: dict[str, list[Callable[[Delivery], Delivery]]] = {
    "claim": [lambda d: moves.claim(d, claim())],
    "claim_to_ask": [lambda d: moves.claim_to_ask(d, claim())],
    "let_go": [moves.let_go, lambda d: moves.let_go(d, PROBLEM)],
    "rate_limited": [lambda d: moves.rate_limited(d, at(60), PROBLEM)],
    "step_out": [lambda d: moves.step_out(d, OUT, at(1))],
    "refuse": [lambda d: moves.refuse(d, PROBLEM)],
    "retry_later": [lambda d: moves.retry_later(d, at(60), PROBLEM)],
    "lose": [
        lambda d: moves.lose(d, KNOWS_KEYS, at(2), at(0), PROBLEM),
        lambda d: moves.lose(d, CAN_BE_ASKED, at(2), at(0), PROBLEM),
        lambda d: moves.lose(d, NEITHER, at(2), at(0), PROBLEM),
    ],
    "ask_again": [lambda d: moves.ask_again(d, at(5), PROBLEM)],
    "give_to_person": [lambda d: moves.give_to_person(d, PROBLEM)],
    "claim_ran_out": [
        lambda d: moves.claim_ran_out(d, KNOWS_KEYS, at(120)),
        lambda d: moves.claim_ran_out(d, NEITHER, at(120)),
    ],
    "doubt": [
        lambda d: moves.doubt(d, KNOWS_KEYS, at(120)),
        lambda d: moves.doubt(d, NEITHER, at(120)),
    ],
    "miss": [moves.miss],
    "cancel": [moves.cancel],
    "retry": [lambda d: moves.retry(d, at(60))],
    "resolve_published": [lambda d: moves.resolve_published(d, OUT, at(60))],
    "resolve_absent": [lambda d: moves.resolve_absent(d, at(60))],
}


def test_the_moves_are_those_of_the_house() -> None:
    assert set(MOVES) == set(HOUSE) == set(CALLS)


@pytest.mark.parametrize("name", sorted(HOUSE))
def test_a_move_leads_where_the_house_says(name: str) -> None:
    """From every status, by every variant of the call: the edges taken are exactly the table's."""
    taken = set()
    for status in DeliveryStatus:
        for variant in VARIANTS:
            before = delivery(status, **(variant if status is not S.PUBLISHED else {}))
            for call in CALLS[name]:
                try:
                    after = call(before)
                except AssertionError:
                    continue
                taken.add((str(status), str(after.status)))
    assert taken == HOUSE[name]


@pytest.mark.parametrize("name", sorted(HOUSE))
def test_the_table_of_moves_says_no_more_than_the_house(name: str) -> None:
    starts, ends = MOVES[name]
    assert {str(start) for start in starts} == {start for start, _ in HOUSE[name]}
    assert {str(end) for end in ends} == {end for _, end in HOUSE[name]}


@pytest.mark.parametrize("status", list(DeliveryStatus))
def test_nothing_final_is_held_or_waits(status: DeliveryStatus) -> None:
    """Whatever a move leads to: final statuses have no claim and no next instant, waiting ones
    have an instant and no claim (but while the network is asked), publishing has a claim."""
    for name, calls in CALLS.items():
        for call in calls:
            try:
                after = call(delivery(status))
            except AssertionError:
                continue
            if after.status is S.PUBLISHING:
                assert after.claim or status is S.CONFIRMING, name
            elif after.status in (S.SCHEDULED, S.RETRYING):
                assert after.claim is None, name
                assert after.next_at is not None, name
                assert after.next_at >= after.due_at, name
            elif after.status is S.CONFIRMING:
                assert after.next_at is not None, name
                assert after.sent_at is not None, name
            else:
                assert after.claim is None, name
                assert after.next_at is None, name


def test_a_claim_counts_an_attempt_and_letting_go_gives_it_back() -> None:
    before = delivery(S.RETRYING, attempts=1, due_at=at(60), next_at=at(60), problem=PROBLEM)
    held = moves.claim(before, claim())
    assert (held.attempts, held.came_from) == (2, S.RETRYING)
    assert moves.let_go(held) == before


def test_a_rate_limit_counts_no_attempt() -> None:
    after = moves.rate_limited(delivery(S.PUBLISHING, attempts=2), at(900), PROBLEM)
    assert (after.attempts, after.due_at, after.next_at) == (1, at(900), at(900))


def test_asking_counts_no_attempt() -> None:
    doubtful = delivery(S.CONFIRMING, attempts=2)
    assert moves.claim_to_ask(doubtful, claim()).attempts == 2
    assert moves.ask_again(doubtful, at(5)).attempts == 2


def test_questions_are_counted_by_their_answer() -> None:
    after = moves.ask_again(delivery(S.CONFIRMING), at(5), PROBLEM)
    assert (after.asked, after.not_there, after.problem) == (1, 0, PROBLEM)
    after = moves.ask_again(after, at(9), not_there=True)
    assert (after.asked, after.not_there, after.problem) == (1, 1, PROBLEM)


def test_a_part_that_is_out_keeps_the_claim_until_the_last() -> None:
    held = delivery(S.PUBLISHING, steps=steps(2, comment=True), sent_at=NOON, problem=PROBLEM)
    first = moves.step_out(held, OUT, at(1))
    assert (first.status, first.claim, first.next_step) == (S.PUBLISHING, held.claim, 1)
    assert (first.sent_at, first.problem) == (None, None)
    second = moves.step_out(first, replace(OUT, remote_id="id2"), at(2))
    assert (second.status, second.next_step, second.published_at) == (S.PUBLISHING, 2, None)
    last = moves.step_out(second, replace(OUT, remote_id="id3"), at(3))
    assert (last.status, last.claim, last.next_at) == (S.PUBLISHED, None, None)
    assert (last.remote_id, last.url, last.published_at) == ("id1", "http://x/1", at(3))


def test_a_doubt_is_forgotten_once_it_is_settled() -> None:
    doubtful = delivery(S.CONFIRMING, asked=3, not_there=1, steps=steps(2))
    for after in (
        moves.step_out(doubtful, OUT, at(1)),
        moves.retry_later(doubtful, at(60), PROBLEM),
        moves.refuse(doubtful, PROBLEM),
        moves.resolve_absent(replace(doubtful, status=S.UNCONFIRMED), at(1)),
        moves.resolve_published(replace(doubtful, status=S.UNCONFIRMED), OUT, at(1)),
    ):
        assert (after.sent_at, after.asked, after.not_there) == (None, 0, 0), after.status


def test_a_lost_answer_is_settled_by_the_network_or_by_a_person() -> None:
    held = delivery(S.PUBLISHING)
    for guarantee in (KNOWS_KEYS, CAN_BE_ASKED):
        after = moves.lose(held, guarantee, at(2), at(0), PROBLEM)
        assert (after.status, after.next_at, after.sent_at) == (S.CONFIRMING, at(2), at(0))
    after = moves.lose(held, NEITHER, at(2), at(0), PROBLEM)
    assert (after.status, after.next_at, after.sent_at) == (S.UNCONFIRMED, None, at(0))


def test_the_first_send_of_a_doubt_is_what_counts() -> None:
    held = delivery(S.PUBLISHING, sent_at=at(-30))
    assert moves.lose(held, KNOWS_KEYS, at(2), at(0), PROBLEM).sent_at == at(-30)


class TestAClaimThatRanOut:
    """Its worker died or fell silent."""

    def test_what_was_not_prepared_was_not_sent(self) -> None:
        held = delivery(S.PUBLISHING, steps=steps(1, prepared=False), attempts=2)
        for guarantee in (KNOWS_KEYS, NEITHER):
            after = moves.claim_ran_out(held, guarantee, at(120))
            assert (after.status, after.attempts, after.next_at) == (S.SCHEDULED, 1, NOON)

    def test_what_need_not_be_on_record_may_have_been_sent(self) -> None:
        """A text that is made alike each time is sent without a commit in between."""
        alike = Guarantee(FOREVER, prepares_alike=True)
        for laid in (steps(1, prepared=False), ()):
            held = delivery(S.PUBLISHING, steps=laid)
            after = moves.claim_ran_out(held, alike, at(120))
            assert (after.status, after.sent_at) == (S.CONFIRMING, NOON)
        nothing = Guarantee(prepares_alike=True)
        assert moves.claim_ran_out(held, nothing, at(120)).status is S.SCHEDULED

    def test_what_has_no_steps_yet_was_not_sent(self) -> None:
        after = moves.claim_ran_out(delivery(S.PUBLISHING, steps=()), KNOWS_KEYS, at(120))
        assert after.status is S.SCHEDULED

    def test_where_it_can_be_settled_it_counts_as_sent_at_the_claim(self) -> None:
        for guarantee in (KNOWS_KEYS, CAN_BE_ASKED):
            after = moves.claim_ran_out(delivery(S.PUBLISHING), guarantee, at(120))
            assert (after.status, after.sent_at, after.attempts) == (S.CONFIRMING, NOON, 1)
            assert after.problem is not None

    def test_elsewhere_only_what_was_on_record_as_sent_is_in_doubt(self) -> None:
        after = moves.claim_ran_out(delivery(S.PUBLISHING), NEITHER, at(120))
        assert (after.status, after.attempts) == (S.SCHEDULED, 0)
        sent = delivery(S.PUBLISHING, sent_at=at(1))
        after = moves.claim_ran_out(sent, NEITHER, at(120))
        assert (after.status, after.sent_at) == (S.UNCONFIRMED, at(1))

    def test_the_second_part_of_a_thread_is_judged_by_itself(self) -> None:
        half = delivery(S.PUBLISHING, steps=(*steps(2, out=1)[:1], Step(Role.PART, 2)))
        assert moves.claim_ran_out(half, KNOWS_KEYS, at(120)).status is S.SCHEDULED

    def test_a_question_is_asked_again(self) -> None:
        asking = delivery(S.CONFIRMING, claim=claim(), asked=2, attempts=1)
        after = moves.claim_ran_out(asking, KNOWS_KEYS, at(120))
        assert (after.claim, after.next_at, after.asked) == (None, at(120), 2)
        assert after.attempts == 1

    def test_a_worker_that_died_before_the_instant_brings_nothing_forward(self) -> None:
        """Claimed 250 ms ahead, dead 100 ms later: the same is sent again, but not early."""
        ahead = delivery(S.PUBLISHING, claim=claim(seconds=-0.25))
        for guarantee in (KNOWS_KEYS, CAN_BE_ASKED, NEITHER):
            after = moves.claim_ran_out(ahead, guarantee, at(-0.15))
            assert after.next_at is not None
            assert after.next_at >= NOON, guarantee.words


class TestAPersonsRetry:
    """It goes on at the first part that is not out, with its tries again."""

    @pytest.mark.parametrize("status", [S.FAILED, S.MISSED, S.CANCELLED])
    def test_at_once_and_without_grace(self, status: DeliveryStatus) -> None:
        before = delivery(
            status, attempts=3, steps=steps(3, out=1), problem=PROBLEM, grace_until=at(9)
        )
        after = moves.retry(before, at(3600))
        assert (after.next_at, after.due_at, after.attempts) == (at(3600), at(3600), 0)
        assert (after.grace_until, after.problem, after.next_step) == (None, None, 1)
        assert after.occurrence == NOON

    def test_not_before_its_occurrence(self) -> None:
        assert moves.retry(delivery(S.CANCELLED), at(-60)).next_at == NOON

    def test_absent_is_sent_again(self) -> None:
        after = moves.resolve_absent(delivery(S.UNCONFIRMED, steps=steps(2, out=1)), at(60))
        assert (after.status, after.next_step, after.attempts) == (S.SCHEDULED, 1, 0)

    def test_published_goes_on_with_what_remains(self) -> None:
        doubtful = delivery(S.UNCONFIRMED, steps=steps(2))
        after = moves.resolve_published(doubtful, OUT, at(60))
        assert (after.status, after.next_step, after.next_at) == (S.SCHEDULED, 1, at(60))
        after = moves.resolve_published(replace(doubtful, steps=steps(1)), OUT, at(60))
        assert (after.status, after.remote_id, after.published_at) == (S.PUBLISHED, "id1", at(60))


KEY_PARTS = st.tuples(
    st.sampled_from(["post a", "post b"]),
    st.sampled_from(["account a", "account b"]),
    st.integers(0, 3).map(lambda n: NOON + timedelta(microseconds=n)),
    st.integers(0, 2),
    st.sampled_from([Step(Role.PART, 1), Step(Role.PART, 2), Step(Role.COMMENT, 1)]),
)


class TestKeys:
    """One for each part, the same for ever."""

    @given(KEY_PARTS, KEY_PARTS)
    def test_equal_for_the_same_part_only(
        self,
        one: tuple[str, str, datetime, int, Step],
        other: tuple[str, str, datetime, int, Step],
    ) -> None:
        assert (delivery_key(*one) == delivery_key(*other)) == (one == other)

    def test_stay_the_same_in_every_version(self) -> None:
        key = delivery_key("p" * 32, "a" * 32, NOON, 0, Step(Role.PART, 1))
        assert key == "cf0a5df0aa69a02ae13882431ff335d20e94f4258bc0fe6ab41209852fedd14e"

    def test_are_of_the_instant_and_not_of_its_zone(self) -> None:
        there = NOON.astimezone(timezone(timedelta(hours=5)))
        step = Step(Role.PART, 1)
        assert delivery_key("p", "a", there, 0, step) == delivery_key("p", "a", NOON, 0, step)

    def test_do_not_depend_on_what_was_prepared_or_on_attempts(self) -> None:
        bare, made = Step(Role.PART, 1), Step(Role.PART, 1, {"text": "Hello"}, OUT)
        assert delivery_key("p", "a", NOON, 0, bare) == delivery_key("p", "a", NOON, 0, made)

    @given(st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - the strategy makes them aware
    def test_tell_instants_a_microsecond_apart(self, instant: datetime) -> None:
        step = Step(Role.PART, 1)
        after = instant + timedelta(microseconds=1)
        assert delivery_key("p", "a", instant, 0, step) != delivery_key("p", "a", after, 0, step)


def test_a_problem_keeps_its_words() -> None:
    problem = Problem(ErrorKind.INVALID, "too long", 422, "Shorten it")
    assert moves.refuse(delivery(S.PUBLISHING), problem).problem == problem
