"""Telegram from the command line, over a strict loopback server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.picture import png
from postsched.testing.telegram import TOKEN, TelegramServer
from postsched.testing.telegram_state import CHANNEL_NAME, PRIVATE
from tests.cli.posting import Posting

pytestmark = pytest.mark.slow
"""The crash matrix and the contract of adapters go through the same in the gate."""


@pytest.fixture
def server() -> Iterator[TelegramServer]:
    """A Telegram on loopback."""
    with TelegramServer() as server:
        yield server


@pytest.fixture
def channel(cli: Posting, server: TelegramServer) -> Posting:
    """The same person, with a bot in a channel."""
    assert f"@{CHANNEL_NAME}" in add(cli, server)
    return cli


def add(cli: Posting, server: TelegramServer, *more: str, code: int = 0) -> str:
    """Add the account; what was said."""
    words = ("account", "add", "tg", "--platform", "telegram", "--url", server.url)
    more = more or ("--user", f"@{CHANNEL_NAME}")
    answer = cli(*words, *more, "--token-stdin", stdin=f"{TOKEN}\n", code=code)
    return answer.out + answer.err


def test_a_thread_with_a_picture(channel: Posting, server: TelegramServer, tmp_path: Path) -> None:
    picture = tmp_path / "square.png"
    picture.write_bytes(png())
    answer = channel(
        "add", "One <&>", "--then", "Two", "--media", str(picture), "--media", str(picture),
        "--alt", "A square", "--to", "tg", "--at", "now",
    )  # fmt: skip
    assert "alt text" in answer.out + answer.err
    channel("run", "--until-idle", "--no-live")
    post = channel.json("show", "1")
    (delivery,) = post["deliveries"]
    assert post["status"] == "published"
    assert (delivery["remote_id"], delivery["url"]) == ("101", "https://t.me/mychannel/101")
    assert [(one.text, one.parent, len(one.alts)) for one in server.posts()] == [
        ("One <&>", None, 2), ("Two", "101", 0)
    ]  # fmt: skip
    assert "https://t.me/mychannel/101" in channel("show", "1").out
    channel("delete", "1", "--yes")
    assert not server.posts()


def test_the_chat_must_be_said(cli: Posting, server: TelegramServer) -> None:
    words = ("account", "add", "tg", "--platform", "telegram", "--url", server.url)
    assert "--user" in cli.refused(2, *words, "--token-stdin", stdin=TOKEN)


def test_a_bot_that_may_not_post_is_not_kept(cli: Posting, server: TelegramServer) -> None:
    server.right = "no"
    assert "administrator" in add(cli, server, code=1)
    assert "user=@NAME" in add(cli, server, "--user", "@nobody", code=2)
    assert "tg" not in [account["name"] for account in cli.json("account", "list")]


def test_what_telegram_lacks_is_said_when_it_is_written(channel: Posting, tmp_path: Path) -> None:
    picture = tmp_path / "square.png"
    picture.write_bytes(png())
    words = ("--to", "tg", "--at", "now")
    channel.refused(2, "add", "Hello", "--comment", "More", *words)
    channel.refused(2, "add", "Hello", "--visibility", "followers", *words)
    channel.refused(2, "add", "x" * 4097, *words)
    said = channel.refused(2, "add", "x" * 1025, "--media", str(picture), *words)
    assert "1,024 allowed beside media" in said


def test_a_lost_answer_is_left_to_a_person(channel: Posting, server: TelegramServer) -> None:
    server.program_publishing(Fault(FaultKind.RESET_AFTER))
    channel("add", "Hello", "--to", "tg", "--at", "now")
    channel("publish-due", code=1)
    channel("run", "--until-idle", "--no-live")
    assert channel.json("show", "1")["deliveries"][0]["status"] == "unconfirmed"
    assert len(server.published_requests()) == 1
    channel("resolve", "1", "published", "--url", "https://t.me/mychannel/101")
    assert channel.json("show", "1")["status"] == "published"


def test_a_bot_that_was_thrown_out_keeps_its_posts(
    channel: Posting, server: TelegramServer
) -> None:
    body = {"ok": False, "error_code": 403, "description": "Forbidden: bot was kicked"}
    server.program_publishing(Fault(FaultKind.ANSWER, Answer(403, body)))
    channel("add", "Hello", "--to", "tg", "--at", "now")
    assert "administrator" in channel("publish-due", code=1).err
    assert channel.json("show", "1")["deliveries"][0]["status"] == "scheduled"
    channel("account", "check", "tg")
    assert channel.json("publish-due")["published"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("fault", [FaultKind.RESET_AFTER, FaultKind.RESET])
def test_a_chat_for_probing_settles_a_lost_answer(
    channel: Posting, server: TelegramServer, fault: FaultKind
) -> None:
    channel("account", "set", "tg", f"probe_chat={PRIVATE}")
    channel("add", "One", "--to", "tg", "--at", "now")
    channel("publish-due")
    server.program_publishing(Fault(fault))
    channel("add", "Two", "--to", "tg", "--at", "now")
    channel("run", "--until-idle", "--no-live")
    assert channel.json("show", "2")["deliveries"][0]["status"] == "published"
    assert [post.text for post in server.posts()] == ["One", "Two"]
