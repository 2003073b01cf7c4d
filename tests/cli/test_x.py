"""X from the command line, over a strict loopback server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from postsched.testing import Fault, FaultKind
from postsched.testing.picture import png
from postsched.testing.x import XServer
from postsched.testing.x_oauth import APP_TOKEN, CLIENT_ID, KEYS, TOKEN
from postsched.testing.x_state import USERNAME
from tests.cli.calling import Caller
from tests.cli.logins import Door
from tests.cli.posting import Posting

pytestmark = pytest.mark.slow
"""The crash matrix and the contract of adapters go through the same in the gate."""


@pytest.fixture
def server() -> Iterator[XServer]:
    """An X on loopback."""
    with XServer() as server:
        yield server


@pytest.fixture
def tweets(cli: Posting, server: XServer) -> Posting:
    """The same person, with an account on it."""
    add(cli, server, TOKEN)
    return cli


def add(cli: Posting, server: XServer, secret: str, code: int = 0) -> str:
    """Add the account; what was said."""
    words = ("account", "add", "tw", "--platform", "x", "--url", server.url, "--token-stdin")
    answer = cli(*words, stdin=secret, code=code)
    return answer.out + answer.err


def test_a_thread_with_a_picture_and_a_comment(
    tweets: Posting, server: XServer, tmp_path: Path
) -> None:
    picture = tmp_path / "square.png"
    picture.write_bytes(png())
    tweets(
        "add", "One & only https://example.com/a", "--then", "Two", "--comment", "More below",
        "--media", str(picture), "--alt", "A square", "--to", "tw", "--at", "now",
    )  # fmt: skip
    tweets("run", "--until-idle", "--no-live")
    post = tweets.json("show", "1")
    (delivery,) = post["deliveries"]
    one, two, comment = server.posts()
    assert post["status"] == "published"
    assert delivery["remote_id"] == one.remote_id
    assert delivery["url"] == f"https://x.com/{USERNAME}/status/{one.remote_id}"
    assert [one.text, two.text, comment.text] == [
        "One & only https://example.com/a", "Two", "More below"
    ]  # fmt: skip
    assert (one.alts, two.parent, comment.parent) == (("A square",), one.remote_id, one.remote_id)
    assert "transaction" in tweets("show", "1").out
    tweets("delete", "1", "--yes")
    assert not server.posts()


def test_the_owners_keys_do_as_well(cli: Posting, server: XServer) -> None:
    assert f"@{USERNAME}" in add(cli, server, json.dumps(KEYS))
    cli("add", "Hello", "--to", "tw", "--at", "now")
    assert cli.json("publish-due")["published"] == 1
    assert [post.text for post in server.posts()] == ["Hello"]


def test_an_app_only_token_is_not_kept(cli: Posting, server: XServer) -> None:
    said = add(cli, server, APP_TOKEN, code=1)
    assert "app-only" in said.lower()
    assert "tw" not in [account["name"] for account in cli.json("account", "list")]


def test_premium_is_set_by_hand(tweets: Posting, server: XServer) -> None:
    text = "日" * 141
    assert "282 weighted characters" in tweets.refused(2, "add", text, "--to", "tw", "--at", "now")
    tweets.refused(2, "account", "set", "tw", "premium=perhaps")
    tweets("account", "set", "tw", "premium=yes")
    tweets("add", text, "--to", "tw", "--in", "1h")
    tweets("account", "check", "tw")
    tweets("edit", "1", text * 2)
    tweets("account", "set", "tw", "premium=no")
    tweets.refused(2, "add", text, "--to", "tw", "--at", "now")


def test_what_x_does_not_offer_is_refused_when_it_is_written(tweets: Posting) -> None:
    words = ("add", "Hello", "--to", "tw", "--at", "now")
    tweets.refused(2, *words, "--visibility", "followers")
    tweets.refused(2, *words, "--warning", "Careful")
    tweets.refused(2, "add", "https://example.com " * 12, "--to", "tw", "--at", "now")


def test_without_credits_posts_wait_for_them(tweets: Posting, server: XServer) -> None:
    server.credits = "no"
    tweets("add", "Hello", "--to", "tw", "--at", "now")
    answer = tweets("publish-due", code=1)
    assert "credits" in answer.err
    assert tweets.json("show", "1")["deliveries"][0]["status"] == "scheduled"
    server.credits = "yes"
    tweets("account", "check", "tw")
    assert tweets.json("publish-due")["published"] == 1


@pytest.mark.slow
def test_a_lost_answer_is_found(tweets: Posting, server: XServer) -> None:
    server.program_publishing(Fault(FaultKind.RESET_AFTER))
    tweets("add", "Hello", "--to", "tw", "--at", "now")
    tweets("run", "--until-idle", "--no-live")
    (delivery,) = tweets.json("show", "1")["deliveries"]
    assert delivery["status"] == "published"
    assert [delivery["remote_id"]] == [post.remote_id for post in server.posts()]
    assert len(server.published_requests()) == 1


@pytest.mark.slow
def test_a_post_that_got_lost_is_sent_again(tweets: Posting, server: XServer) -> None:
    server.program_publishing(Fault(FaultKind.RESET))
    tweets("add", "Hello", "--to", "tw", "--at", "now")
    tweets("run", "--until-idle", "--no-live")
    assert tweets.json("show", "1")["deliveries"][0]["status"] == "published"
    assert len(server.posts()) == 1
    assert len(server.published_requests()) == 2


@pytest.mark.slow
def test_logging_in_with_a_browser(call: Caller, server: XServer, tmp_path: Path) -> None:
    door = Door(call, tmp_path)
    assert call("account", "add", "tw", "--platform", "x", "--url", server.url).code == 0
    answer = door.browse("tw", "--client-id", CLIENT_ID)
    assert (answer.code, answer.out) == (0, f"tw (x, as @{USERNAME}) is logged in\n")
    server.guard.tokens.clear()  # as after two hours; the refresh token is good still
    assert call("add", "Hello", "--to", "tw", "--at", "now").code == 0
    assert door("publish-due").code == 0
    assert [post.text for post in server.posts()] == ["Hello"]
    kept = json.loads(door.kept("tw") or "{}")
    assert {kept["access_token"]} == server.guard.tokens
    assert kept["refresh_token"] in server.guard.refresh_tokens
