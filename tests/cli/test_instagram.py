"""Instagram from the command line, over a strict loopback server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from postsched.testing import Fault, FaultKind
from postsched.testing.graph import APP_ID, APP_SECRET, DAY, TOKEN
from postsched.testing.instagram import USERNAME, InstagramServer
from tests.cli.calling import Caller
from tests.cli.logins import Door
from tests.cli.posting import Posting

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
    given, end = server.tokens.live[json.loads(door.kept("ig") or "{}")["access_token"]]
    assert end - given == 60 * DAY


@pytest.mark.slow
def test_lost_answers_are_settled(instagram: Posting, server: InstagramServer) -> None:
    server.program_publishing(Fault(FaultKind.RESET_AFTER))
    server.program(Fault(FaultKind.RESET_AFTER), "POST", ".*/comments")
    instagram("add", "Hello", "--media", PICTURE, "--comment", "More", "--to", "ig", "--at", "now")
    instagram("run", "--until-idle", "--no-live")
    assert instagram.json("show", "1")["status"] == "published"
    assert len(server.posts()) == len(server.comments) == 1
