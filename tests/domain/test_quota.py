"""Quotas: what a post takes of each, and which is the first too many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from postsched.domain.post import Media, Part
from postsched.domain.quota import Counts, Quota, Window, cost

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PARTS = (Part("one", (Media("a.png"), Media("b.png"))), Part("two"), Part("three"))


def test_what_a_thread_takes() -> None:
    taken = {what: cost(what, PARTS, comment=True) for what in Counts}
    assert taken == {
        Counts.POSTS: 1, Counts.REPLIES: 3, Counts.MESSAGES: 4, Counts.ITEMS: 5, Counts.FILES: 2,
        Counts.REQUESTS: 8,
    }  # fmt: skip
    assert cost(Counts.REPLIES, [Part("alone")], comment=False) == 0


def test_the_first_too_many_and_when_there_is_room() -> None:
    window = Window(Quota(2, 10 * MINUTE))
    assert [window.fits(NOON + n * MINUTE, 1) for n in (0, 1, 2)] == [True, True, False]
    assert window.room_for(1) == NOON + 10 * MINUTE
    assert window.room_for(2) == NOON + 11 * MINUTE
    assert window.room_for(3) is None
    assert not window.fits(NOON + 10 * MINUTE - timedelta(microseconds=1), 1)
    assert window.fits(NOON + 10 * MINUTE, 1), "what did not fit takes no room"
    assert window.fits(NOON + 10 * MINUTE, 0), "what takes nothing always fits"


def test_what_is_out_counts_even_where_it_was_too_much() -> None:
    window = Window(Quota(2, 10 * MINUTE))
    window.take(NOON, 3)
    assert not window.fits(NOON + MINUTE, 1)
    assert window.fits(NOON + 10 * MINUTE, 2)


def test_the_end_of_the_calendar_has_no_room() -> None:
    window = Window(Quota(1, timedelta(days=1)))
    last = datetime.max.replace(tzinfo=UTC)
    assert window.fits(last, 1)
    assert not window.fits(last, 1)
    assert window.room_for(1) is None


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 3)), max_size=30), st.integers(1, 5),
    st.integers(1, 20),
)  # fmt: skip
def test_no_window_ever_holds_more(steps: list[tuple[int, int]], count: int, minutes: int) -> None:
    window, at = Window(Quota(count, minutes * MINUTE)), NOON
    sent: list[tuple[datetime, int]] = []
    for wait, amount in steps:
        at += wait * MINUTE
        within = sum(n for t, n in sent if t > at - minutes * MINUTE)
        fits = window.fits(at, amount)
        assert fits == (within + amount <= count)
        if fits:
            sent.append((at, amount))
        elif room := window.room_for(amount):
            left = sum(n for t, n in sent if t > room - minutes * MINUTE)
            assert left + amount <= count
