"""What is sent to Telegram, what it answers, and where the token is not seen."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import httpx
import pytest

from postsched.domain.outcome import ErrorKind, Failed, LetGo, Lost, Published, Retry, Sent
from postsched.domain.post import Visibility
from postsched.domain.secret import Secret
from postsched.platforms import secret_address
from postsched.platforms.base import PlatformError
from postsched.platforms.telegram import Telegram
from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.exposure import logged
from postsched.testing.sender import Sender, message
from postsched.testing.telegram import TOKEN, TelegramServer
from postsched.testing.telegram_state import CHANNEL, PRIVATE
from tests.platforms.telegram.playing import out, play


def sent_into(answer: Answer) -> Sent:
    """What a post comes to whose request gets that answer."""
    with TelegramServer() as server:
        server.program_publishing(Fault(FaultKind.ANSWER, answer))
        return play(server.login(), lambda s: s.send(message("Hello")))


def refusal(code: int, words: str, **parameters: int) -> Answer:
    """A refusal as Telegram words it."""
    body = {"ok": False, "error_code": code, "description": words}
    return Answer(code, {**body, "parameters": parameters} if parameters else body)


# What is sent


def test_only_what_was_asked_for_is_sent() -> None:
    with TelegramServer() as server:
        published = out(play(server.login(), lambda s: s.send(message("  <b>Hello</b> & you\n"))))
        (request,) = server.published_requests()
    assert json.loads(request.body) == {"chat_id": "@mychannel", "text": "<b>Hello</b> & you"}
    assert published.url == "https://t.me/mychannel/101"
    assert published.data == {"chat": CHANNEL}


def test_a_chat_may_be_named_by_its_number() -> None:
    with TelegramServer(public="no") as server:
        published = out(play(server.login(), lambda s: s.send(message("Hello"))))
        (request,) = server.published_requests()
    assert request.json["chat_id"] == CHANNEL
    assert published.url == "https://t.me/c/1234567890/101"


def test_in_a_private_chat_there_is_no_address() -> None:
    with TelegramServer() as server:
        login = replace(server.login(), user=str(PRIVATE))
        assert out(play(login, lambda s: s.send(message("Hello")))).url is None


def test_a_link_is_below_the_text_and_is_the_one_that_is_shown() -> None:
    one = message("See https://b.example", link="https://a.example")
    with TelegramServer() as server:
        out(play(server.login(), lambda s: s.send(one)))
        (entry,) = server.ledger
    assert entry["text"] == "See https://b.example\n\nhttps://a.example"
    assert entry["preview"] == {"url": "https://a.example"}


def test_each_part_replies_to_the_one_before() -> None:
    parts = [message(f"{n}", key=f"{n}", n=n) for n in (1, 2, 3)]
    with TelegramServer() as server:
        play(server.login(), lambda s: s.thread(*parts))
        assert [post.parent for post in server.posts()] == [None, "101", "102"]


@pytest.mark.parametrize("parent", [None, Published("x"), Published("../1")])
def test_a_part_without_the_one_before_is_not_sent_alone(parent: Published | None) -> None:
    with TelegramServer() as server:
        sent = play(server.login(), lambda s: s.send(message("Two", n=2), parent, parent))
        assert not server.published_requests()
    assert isinstance(sent, Failed)


def test_a_part_whose_parent_was_deleted_is_refused() -> None:
    with TelegramServer() as server:
        gone = Published("77")
        sent = play(server.login(), lambda s: s.send(message("Two", n=2), gone, gone))
    assert isinstance(sent, Failed)
    assert sent.problem.kind is ErrorKind.INVALID
    assert "deleted" in (sent.problem.hint or "")


def test_who_sees_it_cant_be_chosen() -> None:
    one = message("Hello", visibility=Visibility.FOLLOWERS)
    with TelegramServer() as server:
        assert isinstance(play(server.login(), lambda s: s.send(one)), Failed)
        assert not server.published_requests()
    can = Telegram().capabilities({})
    assert can.visibilities == {"public"}
    assert can.comment is None
    assert any("alt text" in note for note in can.notes)


def test_a_group_that_moved_is_followed() -> None:
    with TelegramServer(moved_to=-1009) as server:
        published = out(play(server.login(), lambda s: s.send(message("Hello"))))
        assert len(server.posts()) == 1
    assert published.data == {"chat": -1009}


# Who and where


def test_the_facts_are_the_bot_and_its_chat() -> None:
    with TelegramServer() as server:
        facts = play(server.login(), lambda s: s.inspect())
    assert facts == {
        "user": "@mychannel", "bot": "@our_own_bot", "chat_id": CHANNEL, "protected": False,
        "username": "mychannel", "can_probe": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "kind"),
    [({"right": "no"}, ErrorKind.AUTH), ({"member": "member"}, ErrorKind.AUTH)],
)
def test_a_bot_that_may_not_post_is_told_at_once(options: dict[str, str], kind: ErrorKind) -> None:
    with TelegramServer(**options) as server, pytest.raises(PlatformError) as caught:
        play(server.login(), lambda s: s.inspect(), inspect=False)
    assert caught.value.problem.kind is kind
    assert "administrator" in (caught.value.problem.hint or "")


def test_a_chat_that_is_none_is_told_at_once() -> None:
    with TelegramServer() as server, pytest.raises(PlatformError) as caught:
        play(replace(server.login(), user="@nobody"), lambda s: s.inspect(), inspect=False)
    assert caught.value.problem.kind is ErrorKind.PERMANENT
    assert "user=@NAME" in (caught.value.problem.hint or "")


@pytest.mark.parametrize("answer", [[], {}, {"ok": True}, {"ok": True, "result": {"id": "x"}}])
def test_another_server_is_not_taken_for_telegram(answer: object) -> None:
    with TelegramServer() as server:
        server.program(Fault(FaultKind.ANSWER, Answer(200, answer)), count=None)
        with pytest.raises(PlatformError):
            play(server.login(), lambda s: s.inspect(), inspect=False)


# What is answered

REFUSALS = [
    (refusal(401, "Unauthorized"), LetGo, ErrorKind.AUTH),
    (refusal(404, "Not Found"), LetGo, ErrorKind.AUTH),
    (refusal(403, "Forbidden: bot was kicked from the channel chat"), LetGo, ErrorKind.AUTH),
    (refusal(403, "Forbidden: bot is not a member of the channel chat"), LetGo, ErrorKind.AUTH),
    (refusal(400, "Bad Request: need administrator rights in the channel chat"),
     LetGo, ErrorKind.AUTH),
    (refusal(400, "Bad Request: not enough rights to send text messages"), LetGo, ErrorKind.AUTH),
    (refusal(400, "Bad Request: CHAT_WRITE_FORBIDDEN"), LetGo, ErrorKind.AUTH),
    (refusal(400, "Bad Request: chat not found"), Failed, ErrorKind.PERMANENT),
    (refusal(400, "Bad Request: message is too long"), Failed, ErrorKind.INVALID),
    (refusal(400, "Bad Request: PHOTO_INVALID_DIMENSIONS"), Failed, ErrorKind.INVALID),
    (refusal(400, "Bad Request: failed to get HTTP URL content"), Failed, ErrorKind.INVALID),
    (refusal(400, "Bad Request: message to be replied not found"), Failed, ErrorKind.INVALID),
    (refusal(413, "Request Entity Too Large"), Failed, ErrorKind.INVALID),
    (refusal(429, "Too Many Requests: retry after 14", retry_after=14), Retry,
     ErrorKind.RATE_LIMIT),
    (Answer(200, {"ok": False, "error_code": 400, "description": "Bad Request: no"}),
     Failed, ErrorKind.INVALID),
    (Answer(200, {"ok": False}), Lost, ErrorKind.TRANSIENT),
    (Answer(200, {"ok": False, "error_code": 500, "description": "Internal"}),
     Lost, ErrorKind.TRANSIENT),
    (refusal(500, "Internal Server Error"), Lost, ErrorKind.TRANSIENT),
    (Answer(502, {"ok": False, "error_code": 400, "description": "no"}),
     Lost, ErrorKind.TRANSIENT),
    (Answer(408, b""), Lost, ErrorKind.TRANSIENT),
    (Answer(400, b"<html>no"), Failed, ErrorKind.INVALID),
    (Answer(200, {"ok": True, "result": True}), Lost, ErrorKind.TRANSIENT),
    (Answer(200, {"ok": True, "result": []}), Lost, ErrorKind.TRANSIENT),
    (Answer(200, {"ok": True, "result": {"message_id": "1", "chat": {}}}),
     Lost, ErrorKind.TRANSIENT),
    (Answer(200, {"ok": True, "result": {"message_id": 1}}), Lost, ErrorKind.TRANSIENT),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "outcome", "kind"), REFUSALS)
def test_a_refusal_has_its_kind(answer: Answer, outcome: type[Sent], kind: ErrorKind) -> None:
    sent = sent_into(answer)
    assert isinstance(sent, outcome), sent
    assert not isinstance(sent, Published)
    assert sent.problem is not None
    assert sent.problem.kind is kind
    assert "<html>" not in sent.problem.message


def test_telegrams_own_wish_is_obeyed() -> None:
    with TelegramServer(quota=0) as server:
        sent = play(server.login(), lambda s: s.send(message("Hello")))
    assert isinstance(sent, Retry)
    assert sent.after is not None
    assert 50 < sent.after <= 60
    assert not sent.counts


@pytest.mark.parametrize("words", [1, "", "\x1b[31m\nred", "x" * 9999, {"a": 1}, f"at {TOKEN}"])
def test_words_of_any_kind_are_one_line_without_the_token(words: object) -> None:
    sent = sent_into(Answer(400, {"ok": False, "error_code": 400, "description": words}))
    assert isinstance(sent, Failed)
    assert 0 < len(sent.problem.message) < 400
    assert sent.problem.message.isprintable()
    assert TOKEN not in repr(sent)


# The token


@pytest.mark.parametrize("token", ["", "two words", "1:a/../../x", "1:ä", "1:a?b", "1:a#b", "1%3A"])
def test_what_is_no_token_is_in_no_address(token: str) -> None:
    with TelegramServer() as server:
        login = replace(server.login(), secret=Secret(token))
        sent = play(login, lambda s: s.send(message("Hello")), inspect=False)
        assert not server.requests
    assert isinstance(sent, LetGo)


def test_another_token_is_refused() -> None:
    with TelegramServer() as server:
        login = replace(server.login(), secret=Secret("1:wrong"))
        assert isinstance(play(login, lambda s: s.send(message("Hello")), inspect=False), LetGo)


def test_the_token_is_in_no_log_and_in_nothing_that_httpx_gives(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    async def scene(sender: Sender) -> list[str]:
        url = f"{sender.login.url}/bot{TOKEN}/getMe"
        response = await secret_address.send(sender.http, "POST", url, [TOKEN])
        assert response.is_success
        shown = [repr(response), repr(response.request), str(response.url), repr(response.url)]
        dead = f"http://127.0.0.1:9/bot{TOKEN}/getMe"
        with pytest.raises(httpx.HTTPError) as caught:
            await secret_address.send(sender.http, "POST", dead, [TOKEN])
        request = caught.value.request
        return [*shown, repr(caught.value), repr(request), f"{request.url}", repr(request.url)]

    with TelegramServer() as server:
        shown = play(server.login(), scene)
    assert "127.0.0.1" in "\n".join(shown)
    assert "HTTP Request" in logged(caplog)
    assert TOKEN not in "\n".join(shown)
    assert TOKEN not in logged(caplog)


def test_an_error_does_not_repeat_what_the_server_says() -> None:
    with TelegramServer() as server:
        fault = Fault(FaultKind.ANSWER, Answer(200, {}, {f"Bad {TOKEN}": "x"}))
        server.program_publishing(fault)
        sent = play(server.login(), lambda s: s.send(message("Hello")))
    assert isinstance(sent, Lost)
    assert TOKEN not in repr(sent)


# Deleting


def test_what_is_gone_or_too_old_to_be_deleted() -> None:
    async def scene(sender: Sender) -> None:
        await sender.platform.delete(Published("77"), sender.login, sender.http)
        with pytest.raises(PlatformError, match="can't be deleted") as caught:
            await sender.platform.delete(Published("101"), sender.login, sender.http)
        assert "48 hours" in (caught.value.problem.hint or "")
        with pytest.raises(PlatformError, match="no number"):
            await sender.platform.delete(Published("me/101"), sender.login, sender.http)

    with TelegramServer() as server:
        server.state.send(server.state.channel, "Old", at=0)
        play(server.login(), scene)


def test_a_post_is_deleted_in_the_chat_where_it_is() -> None:
    async def scene(sender: Sender) -> None:
        sent = out(await sender.send(message("Hello")))
        elsewhere = replace(sender.login, user=str(PRIVATE))
        await sender.platform.delete(sent, elsewhere, sender.http)

    with TelegramServer() as server:
        play(server.login(), scene)
        assert not server.posts()
