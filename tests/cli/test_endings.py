"""Logins that will have ended: add, list, status and doctor say so, with what mends it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from postsched.store.columns import micros
from postsched.testing.faults import Fault, FaultKind
from postsched.testing.mastodon import TOKEN, MastodonServer
from postsched.testing.wire import Answer as HttpAnswer
from tests.cli.posting import Posting

MEND = "postsched account set me --token-stdin"


def ends(cli: Posting, after: timedelta | None, **values: object) -> None:
    """Let the login of every account end after that time."""
    values["token_expires_at"] = None if after is None else micros(datetime.now(UTC) + after)
    with cli.database() as base:
        for name, value in values.items():
            base.execute(f"UPDATE accounts SET {name} = ?", (value,))


class TestAdd:
    """One line on stderr, which names account, end and command."""

    def test_after_the_end(self, cli: Posting) -> None:
        ends(cli, timedelta(days=1, minutes=1))
        answer = cli("add", "Hello", "--to", "me", "--in", "2d")
        assert answer.err.count("\n") == 1
        assert answer.err.startswith("postsched: warning: the login of me ends ")
        assert "in 24 hours, before what is due" in answer.err or "in 1 day" in answer.err
        assert answer.err.endswith(f"; log in again: {MEND}\n")

    @pytest.mark.parametrize("words", [("--json",), ("--dry-run",)])
    def test_whatever_is_printed(self, cli: Posting, words: tuple[str, ...]) -> None:
        ends(cli, timedelta(days=1))
        answer = cli("add", "Hello", "--to", "me", "--in", "2d", *words)
        assert answer.err.count(MEND) == 1

    def test_not_before_the_end(self, cli: Posting) -> None:
        ends(cli, timedelta(days=1))
        assert cli("add", "Hello", "--to", "me", "--in", "2h").err == ""

    def test_not_for_a_draft(self, cli: Posting) -> None:
        ends(cli, timedelta(days=1))
        assert cli("add", "Hello", "--to", "me", "--draft").err == ""

    def test_not_where_it_is_renewed_by_itself(self, cli: Posting) -> None:
        ends(cli, None)
        assert cli("add", "Hello", "--to", "me", "--in", "9d").err == ""

    def test_one_line_for_each_account(self, cli: Posting) -> None:
        cli.account("you")
        ends(cli, timedelta(days=1))
        answer = cli("add", "Hello", "--to", "me,you", "--in", "2d")
        assert [line.split()[5] for line in answer.err.splitlines()] == ["me", "you"]

    def test_an_account_that_is_held(self, cli: Posting) -> None:
        ends(cli, None, state="login")
        answer = cli("add", "Hello", "--to", "me", "--in", "2h")
        words = "the login of me is refused, and its posts wait"
        assert answer.err == f"postsched: warning: {words}; log in again: {MEND}\n"


class TestList:
    """The same for what waits."""

    def test_what_waits_after_the_end(self, cli: Posting) -> None:
        cli("add", "Soon", "--to", "me", "--in", "1h")
        ends(cli, timedelta(days=1))
        assert cli("list").err == ""
        ends(cli, None)
        cli("add", "Hello", "--to", "me", "--in", "2d")
        cli("add", "Hello again", "--to", "me", "--in", "3d")
        ends(cli, timedelta(days=1))
        for words in (("list",), ("list", "--json")):
            answer = cli(*words)
            assert answer.err.count("\n") == 1
            assert "before what is due" in answer.err
            assert "in 2 days" in answer.err or "in 1 day 23 hours" in answer.err
            assert answer.err.endswith(f"; log in again: {MEND}\n")

    def test_what_was_cancelled_does_not_wait(self, cli: Posting) -> None:
        cli("add", "Hello", "--to", "me", "--in", "2d")
        ends(cli, timedelta(days=1))
        cli("cancel", "1")
        assert cli("list").err == ""

    def test_one_that_has_ended(self, cli: Posting) -> None:
        cli("add", "Hello", "--to", "me", "--in", "2d")
        ends(cli, timedelta(days=-1))
        assert "the login of me ended" in cli("list").err


@pytest.mark.parametrize(("days", "reminded"), [(8, False), (6, True), (-1, True)])
def test_status_reminds_seven_days_before(cli: Posting, days: int, reminded: bool) -> None:
    ends(cli, timedelta(days=days, minutes=1))
    line = next(line for line in cli("status").out.splitlines() if line.startswith("account"))
    assert ("its login end" in line, line.endswith(MEND)) == (True, reminded)


def test_doctor_looks_at_what_is_due(cli: Posting) -> None:
    cli("add", "Hello", "--to", "me", "--in", "30d")
    ends(cli, timedelta(days=20))
    (found,) = (f for f in cli("doctor", "--json").json if f["check"] == "account me")
    assert found["state"] == "warning"
    assert "its login ends in" in found["message"]
    assert "before what is due in" in found["message"]
    assert MEND in found["hint"]


@pytest.fixture
def server() -> Iterator[MastodonServer]:
    with MastodonServer() as network:
        yield network


def test_check_says_when_the_login_ends(cli: Posting, server: MastodonServer) -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=60)
    secret = json.dumps({"access_token": TOKEN, "expires_at": end.isoformat()})
    words = ("--platform", "mastodon", "--url", server.url, "--token-stdin")
    assert "; its login ends " in cli("account", "add", "there", *words, stdin=secret).out
    answer = cli("account", "check", "there")
    assert answer.out.endswith("in 60 days\n") or answer.out.endswith("in 59 days\n")
    document = cli.json("account", "check", "there")
    assert datetime.fromisoformat(document["token_expires_at"]) == end
    cli("account", "set", "there", "--token-stdin", stdin=TOKEN)
    assert cli.json("account", "show", "there")["token_expires_at"] is None


def test_a_held_account_says_what_mends_it(cli: Posting, server: MastodonServer) -> None:
    words = ("--platform", "mastodon", "--url", server.url, "--token-stdin")
    cli("account", "add", "there", *words, stdin=TOKEN)
    server.program(Fault(FaultKind.ANSWER, HttpAnswer(401, {"error": "revoked"})), count=None)
    cli("add", "Hello", "--to", "there", "--at", "now")
    assert "postsched account login there" in cli("publish-due", code=1).err
    assert "postsched account login there" in cli("status").out
    assert "postsched account login there" in cli("doctor", code=1).out
    assert cli.json("show", "1")["deliveries"][0]["status"] == "scheduled"
