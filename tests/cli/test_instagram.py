"""Instagram from the command line, over a strict loopback server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from postsched.testing import Fault, FaultKind
from postsched.testing.graph import APP_ID, APP_SECRET, DAY, TOKEN, Tokens
from postsched.testing.instagram import PAGE, USER, USERNAME, InstagramServer
from tests.cli.calling import Caller
from tests.cli.logins import Door
from tests.cli.posting import Posting

pytestmark = pytest.mark.slow
"""The crash matrix and the contract of adapters go through the same in the gate."""

PICTURE = "https://media.example/a.jpg"


@pytest.fixture
def server() -> Iterator[InstagramServer]:
    with InstagramServer() as server:
        yield server


@pytest.fixture
def instagram(cli: Posting, server: InstagramServer) -> Posting:
    """The same person, with an account on it."""
    words = ("account", "add", "ig", "--platform", "instagram", "--url", server.url)
    assert f"@{USERNAME}" in cli(*words, "--token-stdin", stdin=TOKEN).out
    return cli


def test_a_carousel_with_a_comment(instagram: Posting, server: InstagramServer) -> None:
    instagram(
        "add", "Look", "--media", PICTURE, "--alt", "A", "--media", "https://media.example/b.mp4",
        "--comment", "More #tags", "--to", "ig", "--at", "now",
    )  # fmt: skip
    instagram("publish-due")
    (post,) = server.posts()
    (delivery,) = instagram.json("show", "1")["deliveries"]
    assert (delivery["status"], delivery["remote_id"]) == ("published", post.remote_id)
    assert delivery["url"] == f"https://www.instagram.com/p/C{post.remote_id}/"
    assert [(on, text) for on, text, _ in server.comments.values()] == [
        (post.remote_id, "More #tags")
    ]


def test_what_can_not_be_is_refused_when_it_is_written(instagram: Posting) -> None:
    words = ("--to", "ig", "--at", "now")
    assert "no media" in instagram.refused(2, "add", "Hello", *words)
    assert "no threads" in instagram.refused(2, "add", "Hello", "--media", PICTURE, "--then", "Two",
                                             *words)  # fmt: skip
    said = instagram.refused(2, "add", "x" * 2201, "--media", PICTURE, *words)
    assert "1 more than the 2,200 allowed" in said


def test_logging_in_by_paste(call: Caller, server: InstagramServer, tmp_path: Path) -> None:
    door = Door(call, tmp_path)
    assert call("account", "add", "ig", "--platform", "instagram", "--url", server.url).code == 0
    answer = door.paste(
        "ig", "--client-id", APP_ID, "--client-secret-stdin", first=f"{APP_SECRET}\n",
        answer=lambda url: httpx.get(url, trust_env=False).headers["location"],
    )  # fmt: skip
    assert answer.code == 0, answer
    assert isinstance(server.tokens, Tokens)
    given, end = server.tokens.live[json.loads(door.kept("ig") or "{}")["access_token"]]
    assert end - given == 60 * DAY


def test_logging_in_by_facebook(call: Caller, tmp_path: Path) -> None:
    """The account of a Page, named where the person has several; then posting and deleting."""
    door = Door(call, tmp_path)
    words = ("--client-id", APP_ID, "--client-secret-stdin")
    with InstagramServer(login_kind="facebook") as server:
        add = ("account", "add", "ig", "--platform", "instagram", "--url", server.url)
        assert call(*add, "--set", "login=facebook").code == 0
        refused = door.paste("ig", *words, first=f"{APP_SECRET}\n", answer=there)
        assert refused.code == 1
        assert f"which Instagram account is meant: @{USERNAME} ({USER}), @the_field" in refused.err
        assert call("account", "set", "ig", f"user={USERNAME}").code == 0
        answer = door.paste("ig", *words, first=f"{APP_SECRET}\n", answer=there)
        assert answer.code == 0, answer
        assert f"as {USERNAME}" in answer.out
        assert door("account", "check", "ig").code == 0
        kept = json.loads(door.kept("ig") or "{}")
        assert kept["access_token"].startswith(f"graph-page-{PAGE}")
        assert "expires_at" not in kept
        assert call("add", "Hello", "--media", PICTURE, "--to", "ig", "--at", "now").code == 0
        assert door("publish-due").code == 0
        assert [post.text for post in server.posts()] == ["Hello"]
        assert door("delete", "1", "--yes").code == 0
        assert not server.posts()


def there(url: str) -> str:
    """Where a person ends who consents."""
    return str(httpx.get(url, trust_env=False).headers["location"])


@pytest.mark.slow
def test_lost_answers_are_settled(instagram: Posting, server: InstagramServer) -> None:
    server.program_publishing(Fault(FaultKind.RESET_AFTER))
    server.program(Fault(FaultKind.RESET_AFTER), "POST", ".*/comments")
    instagram("add", "Hello", "--media", PICTURE, "--comment", "More", "--to", "ig", "--at", "now")
    instagram("run", "--until-idle", "--no-live")
    assert instagram.json("show", "1")["status"] == "published"
    assert len(server.posts()) == len(server.comments) == 1
