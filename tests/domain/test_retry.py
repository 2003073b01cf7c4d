"""When to try again, and when to ask again."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postsched.domain.outcome import Retry
from postsched.domain.retry import ASK_WAITS, RetryPolicy, next_question
from tests.domain.samples import NOON, PROBLEM, at

SEEDS = st.integers(0, 2**32).map(Random)


def waits(policy: RetryPolicy, outcome: Retry, rng: Random, attempts: int) -> list[float | None]:
    """The wait in seconds after each attempt; None where it gives up."""
    tries = [policy.next_try(n, outcome, NOON, rng) for n in range(1, attempts + 1)]
    return [None if one is None else (one - NOON).total_seconds() for one in tries]


def test_three_attempts_from_a_minute_are_the_default() -> None:
    first, second, third = waits(RetryPolicy(), Retry(PROBLEM), Random(1), 3)
    assert first is not None
    assert second is not None
    assert 60 <= first <= 72
    assert 120 <= second <= 144
    assert third is None


@given(SEEDS, st.integers(1, 100), st.floats(0.01, 7 * 86400))
def test_each_wait_is_twice_the_last_and_bounded(rng: Random, attempts: int, delay: float) -> None:
    policy = RetryPolicy(attempts, timedelta(seconds=delay))
    longest = max(policy.longest.total_seconds(), delay)
    found = waits(policy, Retry(PROBLEM), rng, attempts)
    for n, wait in enumerate(found[:-1]):
        plain = min(policy.delay.total_seconds() * 2**n, longest)
        assert wait is not None
        assert plain * 0.999 <= wait <= plain * 1.2001
    assert found[-1] is None


def test_a_long_delay_is_not_cut_short() -> None:
    policy = RetryPolicy(100, timedelta(days=7))
    found = waits(policy, Retry(PROBLEM), Random(1), 99)
    assert all(wait is not None and wait >= 7 * 86400 for wait in found)


def test_many_failures_do_not_return_together() -> None:
    rng = Random(3)
    found = {waits(RetryPolicy(), Retry(PROBLEM), rng, 1)[0] for _ in range(50)}
    assert len(found) == 50
    assert max(w for w in found if w) - min(w for w in found if w) > 6


@given(SEEDS, st.floats(0, 366 * 86400), st.integers(1, 2))
def test_the_networks_wish_is_never_undercut(rng: Random, after: float, attempt: int) -> None:
    wait = waits(RetryPolicy(), Retry(PROBLEM, after=after), rng, attempt)[-1]
    assert wait is not None
    assert after - 1e-5 <= wait <= after + 1.00001


@given(SEEDS, st.integers(-3600, 86400))
def test_a_wish_may_be_an_instant(rng: Random, seconds: int) -> None:
    (wait,) = waits(RetryPolicy(), Retry(PROBLEM, until=at(seconds)), rng, 1)
    assert wait is not None
    assert max(0, seconds) <= wait <= max(0, seconds) + 1


def test_an_instant_goes_before_seconds() -> None:
    (wait,) = waits(RetryPolicy(), Retry(PROBLEM, after=5, until=at(100)), Random(1), 1)
    assert wait is not None
    assert wait >= 100


def test_a_rate_limit_is_waited_for_however_often() -> None:
    limited = Retry(PROBLEM, after=900, counts=False)
    assert all(
        wait is not None and wait >= 900 for wait in waits(RetryPolicy(), limited, Random(1), 50)
    )


def test_a_wish_does_not_buy_more_attempts() -> None:
    assert waits(RetryPolicy(), Retry(PROBLEM, after=5), Random(1), 3)[-1] is None


@given(SEEDS, st.integers(0, 10_000), st.one_of(st.none(), st.floats(0, 1e6)))
def test_questions_grow_rare_but_never_end(rng: Random, asked: int, after: float | None) -> None:
    wait = (next_question(asked, after, NOON, rng) - NOON).total_seconds()
    plain = ASK_WAITS[min(asked, len(ASK_WAITS) - 1)]
    assert wait >= plain - 1e-5
    assert wait >= (after or 0) - 1e-5
    assert wait <= max(plain * 1.2, after or 0) + 1e-5


@pytest.mark.parametrize("after", [1e300, float("inf"), float("nan"), -5.0])
def test_a_nonsensical_wish_harms_nobody(after: float) -> None:
    """An adapter may read it from whatever a server says."""
    tries = RetryPolicy().next_try(1, Retry(PROBLEM, after=after), NOON, Random(1))
    assert tries is not None
    assert tries >= NOON
    assert next_question(0, after, NOON, Random(1)) >= NOON


@pytest.mark.parametrize("until", [datetime.max.replace(tzinfo=NOON.tzinfo), at(-1e9)])
def test_an_instant_at_the_end_of_time_harms_nobody(until: datetime) -> None:
    tries = RetryPolicy().next_try(1, Retry(PROBLEM, until=until), NOON, Random(1))
    assert tries is not None
    assert tries >= NOON
