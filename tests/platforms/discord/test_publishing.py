"""What is sent to Discord, what it answers, and where the webhook is not seen."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from postsched.domain.capabilities import Guarantee
from postsched.domain.fitting import judge
from postsched.domain.outcome import ErrorKind, Failed, LetGo, Lost, Published, Retry, Sent
from postsched.domain.post import Content, Media, Visibility
from postsched.domain.secret import Secret
from postsched.platforms.base import Login, PlatformError
from postsched.platforms.discord import Discord
from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.discord import BOT_TOKEN, WEBHOOK_TOKEN, DiscordServer
from postsched.testing.discord_state import BOT, CHANNEL, GUILD
from postsched.testing.exposure import logged
from postsched.testing.sender import Sender, key_of, message
from tests.platforms.discord.playing import attachment, out, play


def sent_into(answer: Answer) -> Sent:
    """What a post comes to whose request gets that answer."""
    with DiscordServer() as server:
        server.program_publishing(Fault(FaultKind.ANSWER, answer))
        return play(server.login(), lambda s: s.send(message("Hello")))


# What is sent


def test_only_what_was_asked_for_is_sent() -> None:
    with DiscordServer() as server:
        published = out(play(server.login(), lambda s: s.send(message("  **Hello** @everyone\n"))))
        (request,) = server.published_requests()
    assert request.json == {"content": "**Hello** @everyone", "allowed_mentions": {"parse": []}}
    assert request.query == {"wait": "true"}
    assert request.headers["user-agent"].startswith("DiscordBot (https://")
    number = published.remote_id
    assert published.url == f"https://discord.com/channels/{GUILD}/{CHANNEL}/{number}"
    (limit,) = published.limits
    assert limit.remaining == limit.limit - 1 if limit.limit else False


def test_a_bot_sends_a_nonce() -> None:
    with DiscordServer() as server:
        out(play(server.login_of_bot(), lambda s: s.send(message("Hello"))))
        (request,) = server.published_requests()
    assert request.json == {
        "content": "Hello", "allowed_mentions": {"parse": []},
        "nonce": key_of("first")[:25], "enforce_nonce": True,
    }  # fmt: skip
    assert request.headers["authorization"] == f"Bot {BOT_TOKEN}"


def test_the_webhook_needs_no_bot_to_post() -> None:
    with DiscordServer() as server:
        out(play(server.login_that_reads(), lambda s: s.send(message("Hello"))))
        (request,) = server.published_requests()
        assert "authorization" not in request.headers
        assert server.ledger[0]["by_webhook"]


def test_files_go_with_the_message(tmp_path: Path) -> None:
    files = (attachment(tmp_path), attachment(tmp_path, "application/pdf", None),
             attachment(tmp_path, None, "x" * 1024))  # fmt: skip
    with DiscordServer() as server:
        out(play(server.login(), lambda s: s.send(message("", attachments=files))))
        (request,) = server.published_requests()
        sent = server.ledger[0]["attachments"]
    assert [one["filename"].partition("-")[0] for one in sent] == ["image", "application", "file"]
    assert [one["filename"].rpartition(".")[2] for one in sent] == ["png", "pdf", "png"]
    assert [one.get("description") for one in sent] == ["a square", None, "x" * 1024]
    assert b"private name" not in request.body


def test_a_file_that_is_gone_is_prepared_again(tmp_path: Path) -> None:
    async def scene(sender: Sender) -> Sent:
        file = attachment(tmp_path)
        prepared = await sender.prepare(one := message("Look", attachments=(file,)))
        assert file.file is not None
        file.file.unlink()
        return await sender.publish(prepared, one.key)

    with DiscordServer() as server:
        sent = play(server.login(), scene)
        assert not server.published_requests()
    assert isinstance(sent, Retry)
    assert sent.prepare_again


def test_a_thread_of_discords_may_be_posted_to() -> None:
    async def scene(sender: Sender) -> Published:
        sent = out(await sender.send(message("Hello")))
        await sender.platform.delete(sent, sender.login, sender.http)
        return sent

    with DiscordServer() as server:
        login = replace(server.login(), settings={"thread_id": "77"})
        published = play(login, scene)
        assert server.ledger[0]["thread"] == "77"
        assert server.requests[-1].query == {"thread_id": "77"}
        assert not server.posts()
    assert f"/{GUILD}/77/" in (published.url or "")
    with pytest.raises(PlatformError, match="thread_id is a number"):
        Discord().stated({"thread_id": "news"})


def test_who_sees_it_cant_be_chosen() -> None:
    one = message("Hello", visibility=Visibility.DIRECT)
    with DiscordServer() as server:
        assert isinstance(play(server.login(), lambda s: s.send(one)), Failed)
        assert not server.published_requests()


@pytest.mark.parametrize(
    ("media", "words"),
    [
        ((Media("a.bin", type=None, bytes=10 * 2**20 + 1),), ["more than the 10,485,760 allowed"]),
        ((Media("a.png", type="image/png", bytes=9 * 2**20),) * 3, ["bytes"]),
        ((Media("a.png", type="image/png", bytes=9, alt="x" * 1025),), ["alt text"]),
        ((Media("a.png", type="image/png", bytes=9),) * 5
         + (Media("a.mp4", type="video/mp4", bytes=9),) * 6, ["11 files"]),
        ((Media(url="https://a.example/a.png"),), ["only files can be sent"]),
    ],
)  # fmt: skip
def test_it_is_said_when_it_is_written(media: tuple[Media, ...], words: list[str]) -> None:
    found = judge(Content("x", media), "dc", "Discord", Discord().capabilities({}))
    assert len(found) == len(words), found
    assert all(word in one.message for word, one in zip(words, found, strict=True)), found


# Who and what is promised


def guarantee(login: Login) -> tuple[dict[str, Any], Guarantee]:
    """The facts, and the guarantee that follows."""
    facts = dict(play(login, lambda s: s.inspect()))
    return facts, Discord().capabilities(facts).guarantee


def test_the_guarantee_is_that_of_the_secret() -> None:
    with DiscordServer() as server:
        facts, webhook = guarantee(server.login())
        assert facts == {
            "user": "Captain Hook", "kind": "webhook", "channel_id": CHANNEL, "guild_id": GUILD,
            "can_look_up": False,
        }  # fmt: skip
        assert not webhook.settles
        assert guarantee(server.login_that_reads())[1].can_look_up
        facts, bot = guarantee(server.login_of_bot())
        assert (facts["user"], facts["bot_id"]) == ("our-bot", BOT)
        assert (bot.deduplicates, bot.can_look_up) == (timedelta(minutes=2), True)
        server.reads = "no"
        assert not guarantee(server.login_that_reads())[1].settles
        assert not guarantee(server.login_of_bot())[1].can_look_up


def test_a_bot_that_is_refused_is_told_at_once() -> None:
    with DiscordServer() as server:
        secret = Secret({"webhook_url": server.webhook_url, "bot_token": "wrong"})
        login = replace(server.login(), secret=secret)
        with pytest.raises(PlatformError) as caught:
            play(login, lambda s: s.inspect())
    assert caught.value.problem.kind is ErrorKind.AUTH


# What is answered

REFUSALS = [
    (401, {"message": "401: Unauthorized", "code": 0}, LetGo, ErrorKind.AUTH),
    (403, {"message": "Invalid Webhook Token", "code": 50027}, LetGo, ErrorKind.AUTH),
    (404, {"message": "Unknown Webhook", "code": 10015}, LetGo, ErrorKind.AUTH),
    (403, {"message": "Missing Permissions", "code": 50013}, LetGo, ErrorKind.AUTH),
    (403, {"message": "no", "code": 1}, Failed, ErrorKind.PERMANENT),
    (404, {"message": "Unknown Message", "code": 10008}, Failed, ErrorKind.PERMANENT),
    (404, {"message": "Unknown Channel", "code": 10003}, Failed, ErrorKind.PERMANENT),
    (404, b"<html>", Failed, ErrorKind.PERMANENT),
    (400, {"message": "Cannot send an empty message", "code": 50006}, Failed, ErrorKind.INVALID),
    (413, {"message": "Request entity too large", "code": 40005}, Failed, ErrorKind.INVALID),
    (413, b"<html>", Failed, ErrorKind.INVALID),
    (429, {"message": "You are being rate limited.", "retry_after": 1.5}, Retry,
     ErrorKind.RATE_LIMIT),
    (500, {"message": "500: Internal Server Error", "code": 0}, Lost, ErrorKind.TRANSIENT),
    (408, b"", Lost, ErrorKind.TRANSIENT),
    (204, b"", Lost, ErrorKind.TRANSIENT),
    (200, {"id": None}, Lost, ErrorKind.TRANSIENT),
    (200, {"id": "../1"}, Lost, ErrorKind.TRANSIENT),
    (200, [], Lost, ErrorKind.TRANSIENT),
]  # fmt: skip


@pytest.mark.parametrize(("status", "answer", "outcome", "kind"), REFUSALS)
def test_a_refusal_has_its_kind(
    status: int, answer: object, outcome: type[Sent], kind: ErrorKind
) -> None:
    sent = sent_into(Answer(status, answer))
    assert isinstance(sent, outcome), sent
    assert not isinstance(sent, Published)
    assert sent.problem is not None
    assert sent.problem.kind is kind
    assert "<html>" not in sent.problem.message


def test_the_field_that_is_wrong_is_named() -> None:
    with DiscordServer() as server:
        sent = play(server.login(), lambda s: s.send(message("x" * 2001)))
    assert isinstance(sent, Failed)
    assert sent.problem.message == ("Invalid Form Body: content: Must be 2000 or fewer in length.")


def test_discords_own_wish_is_obeyed() -> None:
    with DiscordServer(quota=0) as server:
        sent = play(server.login(), lambda s: s.send(message("Hello")))
    assert isinstance(sent, Retry)
    assert sent.after is not None
    assert 0 < sent.after <= 2


@pytest.mark.parametrize(
    "body",
    [{"message": 1}, {"message": "\x1b[31m\nred"}, {"message": "x" * 9999}, {"errors": [1]},
     {"message": "m", "errors": {"a": {"_errors": [1]}}}, [], "no",
     {"message": f"/webhooks/1/{WEBHOOK_TOKEN}", "errors": {WEBHOOK_TOKEN: {"_errors": []}}}],
)  # fmt: skip
def test_words_of_any_kind_are_one_line_without_the_token(body: object) -> None:
    sent = sent_into(Answer(400, body))
    assert isinstance(sent, Failed)
    assert 0 < len(sent.problem.message) < 400
    assert sent.problem.message.isprintable()
    assert WEBHOOK_TOKEN not in repr(sent)


@pytest.mark.parametrize("bot", [False, True])
def test_no_token_is_in_a_log(caplog: pytest.LogCaptureFixture, bot: bool) -> None:
    caplog.set_level(logging.DEBUG)
    with DiscordServer() as server:
        login = server.login_that_reads() if bot else server.login()
        shown = repr(play(login, lambda s: s.send(message("Hello"))))
    assert "HTTP Request" in logged(caplog)
    for secret in (WEBHOOK_TOKEN, BOT_TOKEN):
        assert secret not in logged(caplog)
        assert secret not in shown


# Looking up and deleting


def found_after_loss(server: DiscordServer, **more: Any) -> Any:
    """What a look-up finds after an answer that was lost."""

    async def scene(sender: Sender) -> Any:
        prepared = await sender.prepare(one := message("Is it there?", **more))
        server.program_publishing(Fault(FaultKind.RESET_AFTER))
        await sender.publish(prepared, one.key)
        server.wait_for(1)
        return await sender.find(prepared, one.key)

    return play(server.login_that_reads(), scene)


def test_a_webhook_alone_cant_be_asked() -> None:
    async def scene(sender: Sender) -> Any:
        prepared = await sender.prepare(one := message("Hello"))
        return await sender.find(prepared, one.key)

    with DiscordServer() as server:
        found = play(server.login(), scene)
        assert len(server.requests) == 1
    assert found.final


def test_without_the_intent_one_that_could_be_it_has_to_do(tmp_path: Path) -> None:
    with DiscordServer(intent="no") as server:
        found = found_after_loss(server, attachments=(attachment(tmp_path),))
        assert found.remote_id == server.posts()[0].remote_id


def test_in_a_long_channel_every_page_is_read() -> None:
    async def scene(sender: Sender) -> Any:
        prepared = await sender.prepare(one := message("Is it there?"))
        for n in range(120):
            out(await sender.send(message(f"{n}", key=f"{n}")))
        sent = out(await sender.publish(prepared, one.key))
        found = await sender.find(prepared, one.key)
        assert isinstance(found, Published)
        assert found.remote_id == sent.remote_id
        return [r for r in server.requests if r.query.get("limit") == "50"]

    with DiscordServer() as server:
        assert len(play(server.login_that_reads(), scene)) == 3


@pytest.mark.parametrize("remote_id", ["", "https://discord.com/1", "1/../2", "１"])
def test_what_is_no_id_is_in_no_address(remote_id: str) -> None:
    async def scene(sender: Sender) -> None:
        with pytest.raises(PlatformError, match="no id of a message"):
            await sender.platform.delete(Published(remote_id), sender.login, sender.http)

    with DiscordServer() as server:
        play(server.login(), scene)
        assert len(server.requests) == 1


def test_deleting_by_a_webhook_that_is_gone_is_a_refusal() -> None:
    async def scene(sender: Sender) -> None:
        sent = out(await sender.send(message("Hello")))
        server.deleted = "yes"
        with pytest.raises(PlatformError) as caught:
            await sender.platform.delete(sent, sender.login, sender.http)
        assert caught.value.problem.kind is ErrorKind.AUTH

    with DiscordServer() as server:
        play(server.login(), scene)


def test_a_message_is_json_where_it_has_no_files() -> None:
    with DiscordServer() as server:
        out(play(server.login(), lambda s: s.send(message("Hällo 👩‍👩‍👧"))))
        (request,) = server.published_requests()
    assert json.loads(request.body)["content"] == "Hällo 👩‍👩‍👧"
