"""What a secret says of itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from postsched.domain.secret import Secret
from postsched.login.pair import ends, is_pair, is_plain, lives, same, settled, turned_back

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
OLD = {"access_token": "a0", "refresh_token": "r0", "expires_at": "2026-11-27T12:05:00Z"}
NEW = {"access_token": "a1", "refresh_token": "r1", "expires_at": "2026-11-27T14:00:00Z"}


def test_when_a_person_must_log_in_again() -> None:
    assert ends(Secret("token")) is None
    assert ends(Secret({"access_token": "a", "expires_at": "2026-11-27T12:00:00Z"})) == NOON
    assert ends(Secret(OLD)) is None, "it is renewed by itself"
    assert ends(Secret(OLD), renewed=False) == NOON + timedelta(minutes=5)
    assert ends(Secret({"password": "p", "expires_at": "2026-11-27T12:00:00Z"})) is None


@pytest.mark.parametrize("written", ["soon", "2026-11-27T12:05:00", 17, None])
def test_an_end_that_can_not_be_read_is_none(written: Any) -> None:
    secret = Secret({"access_token": "a", "expires_at": written})
    assert ends(secret) is None
    assert not lives(secret, NOON)


def test_it_lives_until_its_end() -> None:
    secret = Secret(OLD)
    assert lives(secret, NOON)
    assert not lives(secret, NOON + timedelta(minutes=5))


def test_a_pair_is_nothing_but_tokens() -> None:
    assert is_pair(Secret(OLD))
    assert not is_pair(Secret({**OLD, "password": "p"}))
    assert is_pair(Secret({"access_token": "a", "expires_at": "2027-01-20T12:00:00Z"}))
    assert not is_pair(Secret({"access_token": "a"}))
    assert not is_pair(Secret("token"))


def test_what_was_before_makes_no_difference() -> None:
    assert same(Secret(NEW), Secret({**NEW, "previous": OLD}))
    assert not same(Secret(NEW), Secret(OLD))
    assert not same(Secret("a1"), Secret(NEW))
    assert same(None, None)
    assert not same(None, Secret("a"))


def test_turning_back_loses_nothing() -> None:
    secret = Secret({**NEW, "client_id": "app", "previous": OLD})
    back = turned_back(secret)
    assert back is not None
    assert back.reveal() == {**OLD, "client_id": "app", "previous": NEW}
    again = turned_back(back)
    assert again is not None
    assert again.reveal() == secret.reveal()


@pytest.mark.parametrize("before", [None, "a0", {}, {"refresh_token": "r0"}, 17])
def test_there_may_be_nothing_to_turn_back_to(before: Any) -> None:
    assert turned_back(Secret({**NEW, "previous": before})) is None
    assert turned_back(Secret("token")) is None


def test_the_pair_before_is_dropped_once_the_new_one_has_worked() -> None:
    after = settled(Secret({**NEW, "client_id": "app", "previous": OLD}))
    assert after is not None
    assert after.reveal() == {**NEW, "client_id": "app"}
    assert settled(Secret(NEW)) is None
    assert settled(Secret("token")) is None


def test_but_not_the_newer_one_that_stands_in_its_place() -> None:
    """It was refused for a while, but its refresh token is the only one that is not spent."""
    assert settled(Secret({**OLD, "previous": NEW})) is None


@pytest.mark.parametrize(
    ("value", "plain"),
    [("token", True), (NEW, True), ("", False), ({"access_token": b"a"}, False),
     ({"at": NOON}, False), (17, False), (["a"], False), (None, False)],
)  # fmt: skip
def test_what_can_be_kept(value: Any, plain: bool) -> None:
    assert is_plain(Secret(value)) is plain
