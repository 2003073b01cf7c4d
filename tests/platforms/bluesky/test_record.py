"""Record keys and times: valid, the same for every try, growing from part to part."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postsched.domain.delivery import Role
from postsched.domain.outcome import Published
from postsched.platforms.base import Message
from postsched.platforms.bluesky.record import created_at, post, record_key, reply_to, rfc3339, tid
from postsched.testing.bluesky_record import TID
from postsched.testing.sender import key_of

NINE = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
DIGITS = "234567abcdefghijklmnopqrstuvwxyz"


def step(n: int = 1, key: str = "key", at: datetime = NINE, role: Role = Role.PART) -> Message:
    return Message(role, n, "Hello", key_of(key), at, at - timedelta(minutes=9))


def micros_of(key: str) -> int:
    number = 0
    for digit in key:
        number = number * 32 + DIGITS.index(digit)
    return number >> 10


@pytest.mark.parametrize(
    ("micros", "clock", "written"),
    [
        (0, 0, "2222222222222"),
        ((1 << 53) - 1, 1023, "bzzzzzzzzzzzz"),
        (0, 1, "2222222222223"),
        (1, 0, "2222222222322"),
    ],
)
def test_tid_vectors(micros: int, clock: int, written: str) -> None:
    assert tid(micros, clock) == written


def test_a_tid_seen_in_the_wild() -> None:
    written = "3jzfcijpj2z2a"
    moment = datetime(2023, 6, 30, 15, 3, 1, tzinfo=UTC)
    assert micros_of(written) // 1_000_000 == int(moment.timestamp())
    assert tid(micros_of(written), 6) == written


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis wants naive bounds
    st.integers(1, 99),
    st.text(max_size=5),
)
def test_every_key_is_a_tid(at: datetime, n: int, word: str) -> None:
    assert TID.fullmatch(record_key(step(n, word, at)))


@given(st.text(max_size=5), st.text(max_size=5), st.integers(1, 99))
def test_keys_grow_from_part_to_part(one: str, other: str, n: int) -> None:
    assert record_key(step(n, one)) < record_key(step(n + 1, other))
    assert record_key(step(n, one)) < record_key(step(1, other, role=Role.COMMENT))


def test_the_key_is_the_same_at_every_try() -> None:
    first = step()
    later = replace(first, now=first.now + timedelta(days=3), text="other")
    assert record_key(first) == record_key(later)
    assert micros_of(record_key(first)) // 1_000_000 == int(NINE.timestamp())


def test_keys_of_one_second_differ() -> None:
    keys = {record_key(step(key=f"post {n}")) for n in range(5000)}
    assert len(keys) == 5000


def test_what_is_prepared_ahead_is_dated_at_its_occurrence() -> None:
    assert created_at(step()) == "2026-12-01T09:00:00.000Z"


def test_what_is_late_is_dated_now() -> None:
    late = replace(step(), now=NINE + timedelta(hours=2, microseconds=1_500))
    assert created_at(late) == "2026-12-01T11:00:00.001Z"


def test_parts_are_dated_in_their_order() -> None:
    times = [created_at(step(n)) for n in (1, 2, 3)] + [created_at(step(role=Role.COMMENT))]
    assert times == sorted(set(times))


def test_times_have_milliseconds_and_z() -> None:
    assert rfc3339(NINE) == "2026-12-01T09:00:00.000Z"


def test_a_record_has_no_empty_members() -> None:
    made = post(step(), "Hello", [], None)
    assert made == {
        "$type": "app.bsky.feed.post",
        "text": "Hello",
        "createdAt": "2026-12-01T09:00:00.000Z",
    }


def test_language_and_warning() -> None:
    made = post(replace(step(), lang="de-AT", warning="nudity"), "Hello", [], None)
    assert made["langs"] == ["de-AT"]
    assert made["labels"] == {
        "$type": "com.atproto.label.defs#selfLabels",
        "values": [{"val": "nudity"}],
    }


def test_a_reply_names_uri_and_cid() -> None:
    root = Published("at://a/b/1", data={"cid": "one"})
    parent = Published("at://a/b/2", data={"cid": "two", "more": 1})
    assert reply_to(root, parent) == {
        "root": {"uri": "at://a/b/1", "cid": "one"},
        "parent": {"uri": "at://a/b/2", "cid": "two"},
    }
