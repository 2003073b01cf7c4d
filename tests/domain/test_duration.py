"""Durations: what is read, what is refused, and that writing and reading are inverse."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postsched.domain.duration import LONGEST, distance, format_duration, parse_duration
from postsched.domain.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25), ("30s", 30), ("2m", 120), ("24h", 86_400), ("7d", 604_800),
        ("1w", 604_800), ("1h30m", 5_400), ("1.5h", 5_400), (" 1h 30m ", 5_400), ("0s", 0),
        ("1m0.5s", 60.5), ("0.001ms", 0.000001),
    ],
)  # fmt: skip
def test_reads_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", " ", "5", "-5s", "5 ", "s", "1e3s", "5s5", "5x", "30m1h", "1m1m", "1h-1m", "5M", "٣s",
     "101y", "36526d", "9" * 50 + "d", "9" * 5_000 + "s", "nan s", "inf s", "1.s", ".5s"],
)  # fmt: skip
def test_refuses_what_is_no_duration(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_duration(text)


@given(st.timedeltas(timedelta(0), LONGEST))
def test_reads_what_it_writes(length: timedelta) -> None:
    assert parse_duration(format_duration(length)) == length


@given(st.text() | st.from_regex(r"([0-9.]{1,5}(ms|[wdhms]) ?){0,4}", fullmatch=True))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    try:
        length = parse_duration(text)
    except InvalidInput:
        return
    assert timedelta(0) <= length <= LONGEST


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "now"), (0.4, "now"), (-0.4, "now"), (1, "in 1 second"), (10, "in 10 seconds"),
        (125, "in 2 minutes 5 seconds"), (3_600, "in 1 hour"), (5_400, "in 1 hour 30 minutes"),
        (7_199, "in 2 hours"), (7_140, "in 1 hour 59 minutes"), (5 * 86_400, "in 5 days"),
        (-300, "5 minutes ago"), (5 * 86_400 - 60, "in 5 days"), (90_000, "in 1 day 1 hour"),
    ],
)  # fmt: skip
def test_says_distances(seconds: float, words: str) -> None:
    assert distance(timedelta(seconds=seconds)) == words
