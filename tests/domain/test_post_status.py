"""A post's status: the first that fits, from its deliveries."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.post import PostStatus, post_status
from tests.domain.samples import NOON

S = DeliveryStatus
LATER = NOON + timedelta(days=1)
ROWS = st.lists(st.tuples(st.sampled_from([NOON, LATER]), st.sampled_from(list(S))), max_size=6)


def status_of(*statuses: S) -> str:
    """The status of a post with those deliveries, all of one occurrence."""
    return str(post_status(False, [(NOON, status) for status in statuses]))


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ((S.SCHEDULED,), "scheduled"),
        ((S.PUBLISHING,), "publishing"),
        ((S.CONFIRMING,), "publishing"),
        ((S.RETRYING,), "publishing"),
        ((S.PUBLISHED,), "published"),
        ((S.FAILED,), "failed"),
        ((S.MISSED,), "failed"),
        ((S.UNCONFIRMED,), "failed"),
        ((S.CANCELLED,), "cancelled"),
        ((), "cancelled"),
        ((S.CANCELLED, S.CANCELLED), "cancelled"),
        ((S.PUBLISHED, S.CANCELLED), "published"),
        ((S.PUBLISHED, S.FAILED), "partial"),
        ((S.PUBLISHED, S.UNCONFIRMED), "partial"),
        ((S.PUBLISHED, S.MISSED, S.CANCELLED), "partial"),
        ((S.FAILED, S.CANCELLED), "failed"),
        ((S.PUBLISHED, S.FAILED, S.SCHEDULED), "scheduled"),
        ((S.PUBLISHED, S.FAILED, S.SCHEDULED, S.RETRYING), "publishing"),
    ],
)
def test_the_first_that_fits(statuses: tuple[S, ...], expected: str) -> None:
    for order in itertools.permutations(statuses):
        assert status_of(*order) == expected


def test_a_draft_is_a_draft() -> None:
    assert post_status(True, [(NOON, S.PUBLISHED)]) is PostStatus.DRAFT


def test_the_newest_occurrence_decides_once_nothing_is_to_come() -> None:
    rows = [(NOON, S.FAILED), (LATER, S.PUBLISHED)]
    assert post_status(False, rows) is PostStatus.PUBLISHED
    assert post_status(False, [(NOON, S.PUBLISHED), (LATER, S.FAILED)]) is PostStatus.FAILED


@given(ROWS, st.randoms())
def test_order_does_not_matter(rows: list[tuple[datetime, S]], rng: object) -> None:
    shuffled = list(rows)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a Random
    assert post_status(False, rows) == post_status(False, shuffled)


@given(ROWS)
def test_what_may_still_go_out_is_never_called_finished(rows: list[tuple[datetime, S]]) -> None:
    found = post_status(False, rows)
    active = {S.SCHEDULED, S.PUBLISHING, S.CONFIRMING, S.RETRYING}
    moving = any(status in active for _, status in rows)
    assert (found in (PostStatus.SCHEDULED, PostStatus.PUBLISHING)) == moving
