"""Accounts and groups, against a Mastodon on loopback: what is kept, and what is not."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest

from postsched.testing import Answer as HttpAnswer
from postsched.testing import Fault, FaultKind, MastodonServer
from postsched.testing.mastodon import TOKEN
from tests.cli.calling import Answer, Caller
from tests.secrets import backends
from tests.secrets.backends import Memory
from tests.servers import postgres

SHAPE = {
    "name", "platform", "url", "user", "state", "state_message", "paused", "settings",
    "token_expires_at", "created_at", "checked_at",
}  # fmt: skip
VERIFY = "/api/v1/accounts/verify_credentials"


@pytest.fixture
def server() -> Iterator[MastodonServer]:
    """A Mastodon with one account and one token."""
    with MastodonServer() as running:
        yield running


def add(call: Caller, server: MastodonServer, *more: str, token: str = TOKEN) -> Answer:
    """Add the account `me` with a token."""
    words = ("account", "add", "me", "--platform", "mastodon", "--url", server.url)
    return call(*words, "--token-stdin", *more, stdin=token + "\n")


def listed(call: Caller) -> list[dict[str, Any]]:
    """All accounts."""
    found: list[dict[str, Any]] = call("account", "list", "--json").json
    return found


def shown(call: Caller, name: str = "me") -> dict[str, Any]:
    """One account."""
    found: dict[str, Any] = call("account", "show", name, "--json").json
    return found


def kept(name: str = "me") -> str | None:
    """The secret in the keyring."""
    return Memory.kept.get(("postsched", name))


def test_a_good_token_is_kept_with_what_the_server_says(
    call: Caller, server: MastodonServer
) -> None:
    answer = add(call, server, "--json")
    assert answer.code == 0, answer
    assert answer.json == listed(call)[0]
    assert set(answer.json) == SHAPE
    assert answer.json["user"] == "@me@example.social"
    assert (answer.json["state"], answer.json["url"]) == ("ok", server.url)
    assert answer.json["checked_at"].endswith("Z")
    assert kept() == TOKEN
    document = shown(call)
    assert set(document) == SHAPE | {"facts", "secret"}
    assert (document["secret"], document["facts"]["software"]) == ("keyring", "mastodon")
    with postgres.behind(call.database) as base:
        kept_there = [base.execute("SELECT * FROM accounts").fetchall()]
        kept_there += [] if postgres.is_used() else base.iterdump()
    assert TOKEN not in "\n".join(map(str, kept_there))


def test_people_are_told_in_a_sentence(call: Caller, server: MastodonServer) -> None:
    answer = add(call, server)
    assert answer.out == "me (mastodon, as @me@example.social) is added\n"
    assert answer.err == ""
    lines = call("account", "list").out.splitlines()
    assert lines[0].split() == ["NAME", "PLATFORM", "LOGIN", "STATE", "SERVER"]
    assert lines[1].split() == ["me", "mastodon", "@me@example.social", "ok", server.url]
    page = call("account", "show", "me").out
    assert "secret: keyring\n" in page
    assert TOKEN not in page


def test_a_refused_token_leaves_nothing(call: Caller, server: MastodonServer) -> None:
    answer = add(call, server, token="wrong")
    answer.refused(1, "refuses the login of me", "invalid", "Then add it again")
    assert "postsched account" not in answer.err  # there is none to give it to
    assert listed(call) == []
    assert kept() is None
    assert add(call, server).code == 0


def test_a_server_that_can_not_be_reached_is_kept_with_a_warning(
    call: Caller, server: MastodonServer
) -> None:
    server.close()
    answer = add(call, server)
    assert answer.code == 0
    assert "warning: me could not be checked" in answer.err
    assert "postsched account check me" in answer.err
    assert answer.err.count("\n") == 1
    assert listed(call)[0]["state"] == "unchecked"
    assert kept() == TOKEN


def test_a_server_in_trouble_is_no_refusal(call: Caller, server: MastodonServer) -> None:
    server.program(Fault(FaultKind.ANSWER, HttpAnswer(503, {"error": "later"})), count=None)
    answer = add(call, server)
    assert (answer.code, listed(call)[0]["state"]) == (0, "unchecked")
    assert "warning" in answer.err
    assert call("account", "check", "me").code == 1


def test_without_a_secret_the_next_command_is_said(call: Caller, server: MastodonServer) -> None:
    answer = call("account", "add", "me", "--platform", "mastodon", "--url", server.url)
    assert answer.code == 0
    assert "me has no secret yet" in answer.err
    assert "postsched account login me" in answer.err
    assert server.requests == []
    answer = call("account", "set", "me", "--token-stdin", stdin=TOKEN)
    assert answer.code == 0, answer
    assert shown(call)["state"] == "ok"


def test_a_secret_in_the_environment_is_used_and_not_kept(
    call: Caller, server: MastodonServer
) -> None:
    keyring.set_keyring(backends.Missing())  # type: ignore[no-untyped-call]  # has no types
    call.set(POSTSCHED_TOKEN_ME=TOKEN)
    answer = call("account", "add", "me", "--platform", "mastodon", "--url", server.url)
    assert (answer.code, answer.err) == (0, "")
    assert (shown(call)["state"], shown(call)["secret"]) == ("ok", "environment")
    call("account", "set", "me", "--token-stdin", stdin=TOKEN).refused(4, "POSTSCHED_TOKEN_ME")


def test_a_refused_secret_in_the_environment_is_mended_there(
    call: Caller, server: MastodonServer
) -> None:
    call.set(POSTSCHED_TOKEN_ME="wrong")
    words = ("account", "add", "me", "--platform", "mastodon", "--url", server.url)
    call(*words).refused(1, "refuses the login of me", "put it into POSTSCHED_TOKEN_ME")


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("", "is empty"),
        ("two\nlines", "has a line break in it"),
        ("tok\u200ben", "U+200B"),
        ('{"access_token": ', "no JSON object"),
        (b"\xff\xfe", "not UTF-8"),
        ("x" * 70_000, "longer than 64 KiB"),
    ],
)
def test_what_is_no_secret(call: Caller, server: MastodonServer, token: Any, said: str) -> None:
    words = ("account", "add", "me", "--platform", "mastodon", "--url", server.url)
    call(*words, "--token-stdin", stdin=token).refused(2, said)
    assert listed(call) == []
    assert kept() is None


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("Missing", "no keyring on this system"),
        ("Locked", "is locked"),
        ("Refusing", "refused to save"),
        ("Garbling", "did not keep the secret"),
        ("Exploding", "failed (ZeroDivisionError)"),
        ("PlaintextMemory", "plain text"),
    ],
)
def test_a_keyring_that_fails(
    call: Caller, server: MastodonServer, backend: str, said: str
) -> None:
    keyring.set_keyring(getattr(backends, backend)())
    add(call, server).refused(4, said)
    assert listed(call) == []
    assert server.requests == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://example.social", "in the clear"),
        ("example.social", "is no base URL"),
        ("ftp://example.social", "is no base URL"),
        ("https://", "is no base URL"),
        ("https://a b.example", "is no base URL"),
        ("https://example.social:0", "is no base URL"),
        ("https://example.social?x=1", "no user, password, query"),
        ("https://me:geheim@example.social", "no user, password, query"),
        ("https://me:geheim@example.social:port", "no user, password, query"),
        ("", "needs the address of your server"),
    ],
)
def test_an_address_that_is_not_taken(call: Caller, url: str, said: str) -> None:
    answer = call("account", "add", "me", "--platform", "mastodon", "--url", url)
    answer.refused(2, said)
    assert "geheim" not in answer.err
    assert listed(call) == []


def test_loopback_needs_no_encryption(call: Caller) -> None:
    for name, url in (
        ("a", "http://localhost:1"),
        ("b", "http://[::1]:1/"),
        ("c", "http://127.1.2.3"),
    ):
        assert call("account", "add", name, "--platform", "mastodon", "--url", url).code == 0
    assert [found["url"] for found in listed(call)][1] == "http://[::1]:1"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("me", "--platform", "mastodn"), 3, "Did you mean mastodon?"),
        (("me", "--platform", "mastodon"), 2, "needs the address of your server"),
        (("sky", "--platform", "bluesky"), 2, "--user"),
        (("-me", "--platform", "outbox"), 2, "-m"),
        (("m e", "--platform", "outbox"), 2, "can't be the name of an account"),
        (("me,you", "--platform", "outbox"), 2, "can't be the name of an account"),
        (("me", "--platform", "outbox", "--set", "dri=/tmp"), 2, "Did you mean dir?"),
        (("me", "--platform", "outbox", "--set", "dir"), 2, "not KEY=VALUE"),
    ],
)
def test_what_can_not_be_added(call: Caller, words: tuple[str, ...], code: int, said: str) -> None:
    call("account", "add", *words).refused(code, said)
    assert listed(call) == []


def test_names_that_clash(call: Caller) -> None:
    assert call("account", "add", "me.work", "--platform", "outbox").code == 0
    assert call("account", "group", "team", "me.work").code == 0
    for name, said in (
        ("me.work", "there is an account 'me.work' already"),
        ("team", "there is a group 'team'"),
        ("me-work", "POSTSCHED_TOKEN_ME_WORK"),
        ("ME.WORK", "POSTSCHED_TOKEN_ME_WORK"),
    ):
        call("account", "add", name, "--platform", "outbox").refused(2, said)
    call("account", "group", "me.work", "me.work").refused(2, "there is an account")
    assert [found["name"] for found in listed(call)] == ["me.work"]


def test_an_outbox_has_its_folder(call: Caller, tmp_path: Path) -> None:
    assert call("account", "add", "me", "--platform", "outbox").code == 0
    folder = call.database.parent / "outbox" / "me"
    assert listed(call)[0]["settings"] == {"dir": str(folder)}
    assert shown(call)["secret"] is None
    call.set(HOME=str(tmp_path))
    if postgres.is_used():  # beside a file, else in the user's data folder
        folder = tmp_path / folder.relative_to(call.home)
    assert call("account", "add", "site", "--platform", "outbox", "--set", "dir=~/site").code == 0
    assert shown(call, "site")["settings"] == {"dir": str(tmp_path / "site")}
    assert call("account", "set", "site", f"dir={tmp_path / 'other'}").code == 0
    assert shown(call, "site")["settings"] == {"dir": str(tmp_path / "other")}
    assert call("account", "set", "me", "dir=").code == 0
    assert shown(call)["settings"] == {"dir": str(folder)}


def test_a_folder_that_is_none_leaves_nothing(call: Caller, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    setting = f"dir={tmp_path / 'file'}"
    answer = call("account", "add", "out", "--platform", "outbox", "--set", setting)
    assert answer.code == 2
    assert "out can't be used" in answer.err
    assert "is no folder" in answer.err
    assert listed(call) == []


def test_an_address_without_its_network_leaves_nothing(
    call: Caller, server: MastodonServer
) -> None:
    words = ("account", "add", "me", "--platform", "mastodon", "--url", server.url + "/blog")
    answer = call(*words, "--token-stdin", stdin=TOKEN)
    assert answer.code == 2
    assert "check the account's URL" in answer.err
    assert (listed(call), kept()) == ([], None)


def test_check_asks_again(call: Caller, server: MastodonServer) -> None:
    assert add(call, server).code == 0
    answer = call("account", "check", "me")
    assert (answer.code, answer.out) == (0, "me (mastodon, as @me@example.social) is good\n")
    server.program(Fault(FaultKind.ANSWER, HttpAnswer(401, {"error": "revoked"})), None, VERIFY, 2)
    call("account", "check", "me").refused(1, "refuses the login of me: revoked", "access token")
    document = shown(call)
    assert document["state"] == "login"
    assert document["state_message"].startswith("revoked. Make a new access token")
    assert "login, revoked. Make" in call("status").out
    assert "postsched account login me" in call("status").out  # the one command that mends it
    assert kept() == TOKEN
    assert call("account", "check", "me", "--json").json["state"] == "ok"
    assert shown(call)["state_message"] is None


def test_a_new_secret_that_is_refused_changes_nothing(call: Caller, server: MastodonServer) -> None:
    assert add(call, server).code == 0
    before = shown(call)
    call("account", "set", "me", "--token-stdin", stdin="wrong").refused(1, "refuses the login")
    assert kept() == TOKEN
    assert shown(call) == before
    call("account", "add", "you", "--platform", "mastodon", "--url", server.url)
    call("account", "set", "you", "--token-stdin", stdin="wrong").refused(1, "refuses the login")
    assert kept("you") is None
    assert shown(call, "you")["state"] == "unchecked"


def test_a_damaged_secret_can_be_replaced(call: Caller, server: MastodonServer) -> None:
    assert add(call, server).code == 0
    Memory.kept["postsched", "me"] = "no\nsecret"
    call("account", "check", "me").refused(4, "can't be used", "account set me --token-stdin")
    assert call("account", "set", "me", "--token-stdin", stdin=TOKEN).code == 0
    assert kept() == TOKEN


def test_a_new_secret_ends_a_refusal_also_when_nobody_answers(
    call: Caller, server: MastodonServer
) -> None:
    assert add(call, server).code == 0
    server.program(Fault(FaultKind.ANSWER, HttpAnswer(401, {"error": "no"})), None, VERIFY, 2)
    assert call("account", "check", "me").code == 1
    server.close()
    assert call("account", "set", "me", "--token-stdin", stdin="new").code == 0
    assert (shown(call)["state"], kept()) == ("unchecked", "new")


def test_another_server_is_another_account(call: Caller, server: MastodonServer) -> None:
    assert add(call, server).code == 0
    with MastodonServer(flavour="gotosocial") as other:
        answer = call("account", "set", "me", f"url={other.url}/")
        assert (answer.code, "postsched account check me" in answer.err) == (0, True)
        document = shown(call)
        assert (document["state"], document["facts"]) == ("unchecked", {})
        assert call("account", "check", "me").code == 0
        assert shown(call)["facts"]["software"] == "gotosocial"
    for wrong in ("url=http://example.social", "uri=https://x.example", "url"):
        assert call("account", "set", "me", wrong).code == 2
    assert shown(call)["url"] == other.url
    call("account", "set", "me").refused(2, "it isn't said what to set")


def test_a_check_does_not_undo_a_pause(call: Caller, server: MastodonServer) -> None:
    assert add(call, server).code == 0
    assert call("pause", "--account", "me").code == 0
    assert call("account", "check", "me").code == 0
    assert listed(call)[0]["paused"] is True
    assert "ok paused" in call("account", "list").out


def test_an_account_goes_with_its_secret(call: Caller, server: MastodonServer) -> None:
    assert add(call, server).code == 0
    assert call("account", "group", "team", "me").code == 0
    assert call("account", "remove", "me", "--yes").out == "me is removed\n"
    assert (listed(call), kept()) == ([], None)
    assert call("account", "remove", "me").code == 3


def test_an_account_stays_if_its_secret_does(call: Caller, server: MastodonServer) -> None:
    assert add(call, server).code == 0
    keyring.set_keyring(backends.Locked())  # type: ignore[no-untyped-call]  # has no types
    call("account", "remove", "me", "--yes").refused(4, "is locked")
    assert [found["name"] for found in listed(call)] == ["me"]
    answer = call("account", "show", "me")
    assert (answer.code, "warning: the keyring" in answer.err) == (0, True)


def test_an_account_of_posts_stays(call: Caller) -> None:
    assert call("account", "add", "me", "--platform", "outbox").code == 0
    assert call("add", "Hello", "--to", "me", "--in", "1h").code == 0
    call("account", "remove", "me", "--yes").refused(1, "1 deliveries to come")
    assert call("cancel", "1").code == 0
    call("account", "remove", "me", "--yes").refused(1, "is named by 1 posts", "pause")
    assert [found["name"] for found in listed(call)] == ["me"]


def test_one_asks_at_a_terminal(call: Caller) -> None:
    assert call("account", "add", "me", "--platform", "outbox").code == 0
    answer = call.terminal("account", "remove", "me", stdin="n\n")
    assert answer.code == 130
    assert "Remove me (outbox) and its secret?" in answer.err
    assert len(listed(call)) == 1
    assert call.terminal("account", "remove", "me", stdin="y\n").code == 0
    assert listed(call) == []


def test_groups(call: Caller) -> None:
    for name in ("me", "you"):
        assert call("account", "add", name, "--platform", "outbox").code == 0
    answer = call("account", "group", "team", "you", "me", "--json")
    assert answer.json == {"name": "team", "accounts": ["me", "you"]}
    assert call("account", "group", "all", "team").code == 0
    assert call("account", "group", "all", "--json").json["accounts"] == ["me", "you"]
    assert call("account", "group", "team", "me").out == "team: me\n"
    call("account", "group", "tema").refused(3, "there is no group 'tema'")
    call("account", "group", "team", "him").refused(3, "there is no account or group 'him'")
    call("account", "group", "a b", "me").refused(2, "can't be the name of a group")
    call("account", "group", "team", "me", "--remove").refused(2, "--remove")
    call("account", "check", "team").refused(2, "is a group")
    assert call("account", "group", "team", "--remove").code == 0
    call("account", "group", "team", "--remove").refused(3, "there is no group")


def test_unknown_names_have_a_nearest(call: Caller) -> None:
    for words in (("show", "me"), ("check", "me"), ("set", "me", "url=https://a.example")):
        call("account", *words).refused(3, "no account or group 'me'", "postsched account add")
    assert call("account", "add", "work", "--platform", "outbox").code == 0
    call("account", "show", "wrok").refused(3, "Did you mean work?")


@pytest.mark.sqlite
def test_the_database_of_accounts_is_private(call: Caller) -> None:
    assert call("account", "list").out.startswith("There are no accounts")
    assert json.loads(call("account", "list", "--json").out) == []
    assert stat.S_IMODE(call.database.stat().st_mode) == 0o600
