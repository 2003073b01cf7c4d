"""When a network is left alone, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from postsched.domain import holding
from postsched.domain.holding import FREE, Hold, Why
from postsched.domain.outcome import (
    Asked,
    ErrorKind,
    Failed,
    LetGo,
    Limit,
    Lost,
    NotKnown,
    Problem,
    Published,
    Retry,
    Sent,
)

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
SILENT = Retry(Problem(ErrorKind.TRANSIENT, "no connection", silent=True))
RATE = Problem(ErrorKind.RATE_LIMIT, "slow down", http_status=429)


def after(*outcomes: Sent | Asked, hold: Hold = FREE, now: datetime = NOW) -> Hold:
    """The breaker after calls that begin and end now."""
    for outcome in outcomes:
        hold = holding.tried(hold, outcome, now, now, Random(1))
    return hold


def test_the_third_silence_opens_it_and_each_time_is_longer() -> None:
    assert after(SILENT, SILENT).until is None
    now, waits = NOW, []
    hold = after(SILENT, SILENT, SILENT)
    for _ in range(7):
        assert hold.until is not None
        assert hold.why is Why.BREAKER
        waits.append((hold.until - now).total_seconds())
        now = hold.until
        hold = after(SILENT, hold=hold, now=now)  # one trial is enough to open it again
    for wait, least in zip(waits, (30, 60, 120, 240, 480, 600, 600), strict=True):
        assert least <= wait <= least * 1.2


def test_what_began_before_it_opened_neither_counts_nor_is_held_against_it() -> None:
    opened = after(SILENT, SILENT, SILENT)
    assert after(SILENT, SILENT, hold=opened) == opened
    assert after(Published("1"), hold=opened) == FREE  # an answer is an answer, whenever it began


@pytest.mark.parametrize(
    ("outcome", "silent"),
    [
        (Lost(Problem(ErrorKind.TRANSIENT, "no answer in time", silent=True)), True),
        (Retry(Problem(ErrorKind.TRANSIENT, "maintenance", http_status=503)), True),
        (NotKnown(Problem(ErrorKind.TRANSIENT, "bad gateway", http_status=502)), True),
        (Published("1"), False),
        (Retry(RATE, after=3, counts=False), False),
        (Failed(Problem(ErrorKind.INVALID, "too long", http_status=422)), False),
        (LetGo(Problem(ErrorKind.AUTH, "revoked")), False),
        (LetGo(Problem(ErrorKind.AUTH, "the keyring is locked"), here=True), None),
        (LetGo(), None),
        (Lost(Problem(ErrorKind.TRANSIENT, "stopped before the answer came")), None),
        (Retry(Problem(ErrorKind.TRANSIENT, "the video is not ready yet")), None),
    ],
)
def test_what_counts_as_an_answer(outcome: Sent | Asked, silent: bool | None) -> None:
    assert holding.is_silent(outcome) is silent


@pytest.mark.parametrize(
    ("outcome", "seconds"),
    [
        (Retry(RATE, after=90, counts=False), 90),
        (Retry(RATE, until=NOW + timedelta(seconds=40), counts=False), 40),
        (Retry(RATE, counts=False), 5),  # as long as the delivery itself
        (NotKnown(RATE, after=7), 7),
        (Retry(RATE, after=1e9, counts=False), 25 * 3600),
        (Published("1", limits=(Limit("requests", 0, NOW + timedelta(seconds=8)),)), 8),
        (Published("1", limits=(Limit("requests", 1, NOW + timedelta(seconds=8)),)), None),
        (Published("1", limits=(Limit("requests", 0),)), None),
        (Published("1", limits=(Limit("requests", 0, NOW - timedelta(seconds=8)),)), None),
        (SILENT, None),
    ],
)
def test_what_the_network_says(outcome: Sent | Asked, seconds: float | None) -> None:
    hold = holding.limited(FREE, outcome, NOW + timedelta(seconds=5), NOW)
    assert hold.until == (None if seconds is None else NOW + timedelta(seconds=seconds))
    assert hold.why is (None if seconds is None else Why.RATE_LIMIT)


def test_the_longer_wait_counts_and_an_answer_ends_only_its_own() -> None:
    limit = holding.later(FREE, NOW + timedelta(hours=1), Why.RATE_LIMIT, "full")
    both = after(SILENT, SILENT, SILENT, hold=limit)
    assert (both.until, both.why, both.opened) == (limit.until, Why.RATE_LIMIT, 1)
    assert after(Published("1"), hold=both) == limit
