"""Discord from the command line, over a strict loopback server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from postsched.testing import Fault, FaultKind
from postsched.testing.discord import BOT_TOKEN, WEBHOOK_TOKEN, DiscordServer
from postsched.testing.discord_state import CHANNEL, GUILD
from postsched.testing.picture import png
from tests.cli.posting import Posting

pytestmark = pytest.mark.slow
"""The crash matrix and the contract of adapters go through the same in the gate."""


@pytest.fixture
def server() -> Iterator[DiscordServer]:
    """A Discord on loopback."""
    with DiscordServer() as server:
        yield server


def add(cli: Posting, server: DiscordServer, secret: object, *more: str, code: int = 0) -> str:
    """Add the account; what was said."""
    words = ("account", "add", "dc", "--platform", "discord", "--url", server.url, *more)
    text = secret if isinstance(secret, str) else json.dumps(secret)
    answer = cli(*words, "--token-stdin", stdin=text, code=code)
    assert WEBHOOK_TOKEN not in answer.out + answer.err
    return answer.out + answer.err


def test_a_thread_with_a_picture(cli: Posting, server: DiscordServer, tmp_path: Path) -> None:
    assert "Captain Hook" in add(cli, server, server.webhook_url)
    picture = tmp_path / "square.png"
    picture.write_bytes(png())
    cli(
        "add", "One **&**", "--then", "Two", "--media", str(picture), "--alt", "A square",
        "--to", "dc", "--at", "now",
    )  # fmt: skip
    cli("run", "--until-idle", "--no-live")
    post = cli.json("show", "1")
    (delivery,) = post["deliveries"]
    one, two = server.posts()
    assert post["status"] == "published"
    assert delivery["remote_id"] == one.remote_id
    assert delivery["url"] == f"https://discord.com/channels/{GUILD}/{CHANNEL}/{one.remote_id}"
    assert [(one.text, one.alts), (two.text, two.alts)] == [
        ("One **&**", ("A square",)), ("Two", ())
    ]  # fmt: skip
    assert WEBHOOK_TOKEN not in cli("show", "1").out
    cli("delete", "1", "--yes")
    assert not server.posts()


def test_what_is_refused_is_not_kept(cli: Posting, server: DiscordServer) -> None:
    assert "not Discord's" in add(cli, server, "https://a.example/api/webhooks/1/tok", code=1)
    assert not server.requests
    server.deleted = "yes"
    assert "Unknown Webhook" in add(cli, server, server.webhook_url, code=1)
    assert "which channel" in add(cli, server, {"bot_token": BOT_TOKEN}, code=2)
    assert "dc" not in [account["name"] for account in cli.json("account", "list")]


def test_a_lost_answer_is_left_to_a_person(cli: Posting, server: DiscordServer) -> None:
    add(cli, server, server.webhook_url)
    server.program_publishing(Fault(FaultKind.RESET_AFTER))
    cli("add", "Hello", "--to", "dc", "--at", "now")
    cli("publish-due", code=1)
    assert cli.json("show", "1")["deliveries"][0]["status"] == "unconfirmed"
    cli("resolve", "1", "published", "--remote-id", server.posts()[0].remote_id)
    cli("delete", "1", "--yes")
    assert not server.posts()
    assert len(server.published_requests()) == 1


def test_a_bot_posts_by_itself_and_settles_at_once(cli: Posting, server: DiscordServer) -> None:
    add(cli, server, {"bot_token": BOT_TOKEN}, "--user", CHANNEL)
    server.program_publishing(Fault(FaultKind.RESET_AFTER))
    cli("add", "Hello", "--then", "More", "--to", "dc", "--at", "now")
    cli("run", "--until-idle", "--no-live")
    assert cli.json("show", "1")["status"] == "published"
    one, two = server.posts()
    assert (one.text, two.text, two.parent) == ("Hello", "More", one.remote_id)
    assert len(server.published_requests()) == 3


@pytest.mark.slow
@pytest.mark.parametrize("fault", [FaultKind.RESET_AFTER, FaultKind.RESET])
def test_a_bot_that_reads_settles_a_lost_answer(
    cli: Posting, server: DiscordServer, fault: FaultKind
) -> None:
    add(cli, server, {"webhook_url": server.webhook_url, "bot_token": BOT_TOKEN})
    server.program_publishing(Fault(fault))
    cli("add", "Hello", "--to", "dc", "--at", "now")
    cli("run", "--until-idle", "--no-live")
    assert cli.json("show", "1")["status"] == "published"
    assert [post.text for post in server.posts()] == ["Hello"]


@pytest.mark.parametrize("command", [("publish-due",), ("run", "--until-idle", "--no-live")])
def test_what_a_dead_process_left_in_doubt_is_loud(
    cli: Posting, server: DiscordServer, command: tuple[str, ...]
) -> None:
    """A webhook alone can't be asked: whoever takes over gives it to a person, and says so."""
    add(cli, server, server.webhook_url)
    cli("add", "One", "--to", "dc", "--at", "now")
    cli.set_delivery(
        status="publishing", claim="x", claim_worker=77, claimed_at=1, claim_until=2, sent_at=1,
        attempts=1,
    )  # fmt: skip
    answer = cli(*command, code=1)
    assert "post 1: unconfirmed on dc" in answer.err
    assert "1 unconfirmed" in answer.out + answer.err
