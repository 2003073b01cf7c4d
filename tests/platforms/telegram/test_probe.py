"""A message whose answer was lost is found by forwarding what is around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from postsched.domain.outcome import Lost, Published
from postsched.platforms.base import PlatformError, Unknown
from postsched.platforms.telegram import Telegram
from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.sender import Sender, message
from postsched.testing.telegram import TelegramServer
from postsched.testing.telegram_state import PRIVATE
from tests.platforms.telegram.playing import attachment, out, play

Found = Published | Unknown | None
HOUR = 3600 * 10**9


def looked_up(
    server: TelegramServer,
    before: Callable[[TelegramServer], Any] = lambda server: None,
    after: Callable[[TelegramServer], Any] = lambda server: None,
    *,
    fault: FaultKind = FaultKind.RESET_AFTER,
    others: Iterable[str] | None = None,
    attachments: Any = (),
    text: str = "Is it there?",
) -> Found:
    """What a look-up finds after a post whose answer was lost; `before` and `after` are what
    happens in the channel. The account's other posts are all from `before`, or the `others`."""

    async def scene(sender: Sender) -> Found:
        before(server)
        known = [str(one) for one in server.state.channel.messages] if others is None else others
        prepared = await sender.prepare(one := message(text, attachments=attachments))
        server.program_publishing(Fault(fault))
        since = datetime.now(UTC)
        assert isinstance(await sender.publish(prepared, one.key), Lost)
        server.wait_for(1)
        after(server)
        doubted = replace(prepared, others=frozenset(known))
        found = await sender.find(doubted, one.key, since)
        assert not server.state.private.messages, "copies are deleted"
        return found

    login = replace(server.login(), settings={"probe_chat": str(PRIVATE)})
    return play(login, scene)


def put(*texts: str, at: int | None = None) -> Callable[[TelegramServer], None]:
    """Messages that somebody else writes in the channel."""

    def write(server: TelegramServer) -> None:
        for text in texts:
            server.state.send(server.state.channel, text, at=at)

    return write


def test_with_a_chat_for_probing_it_can_be_looked_up() -> None:
    with TelegramServer() as server:
        login = replace(server.login(), settings={"probe_chat": str(PRIVATE)})
        facts = play(login, lambda s: s.inspect())
        assert Telegram().capabilities(facts).guarantee.can_look_up
        server.protected = "yes"
        facts = play(login, lambda s: s.inspect())
        assert not Telegram().capabilities(facts).guarantee.can_look_up


@pytest.mark.parametrize("given", ["@me", "x", "1.5"])
def test_a_chat_that_cant_be_one_is_refused(given: str) -> None:
    with pytest.raises(PlatformError, match="probe_chat is the number"):
        Telegram().stated({"probe_chat": given})


def test_without_one_it_is_a_persons_to_decide() -> None:
    async def scene(sender: Sender) -> Found:
        prepared = await sender.prepare(one := message("Hello"))
        return await sender.find(prepared, one.key)

    with TelegramServer() as server:
        found = play(server.login(), scene)
        assert len(server.requests) == 3, "nothing is asked"
    assert isinstance(found, Unknown)
    assert found.final


def test_what_is_out_is_found() -> None:
    with TelegramServer() as server:
        found = looked_up(server, put("Another"))
    assert isinstance(found, Published)
    assert (found.remote_id, found.url) == ("102", "https://t.me/mychannel/102")
    assert found.data == {"chat": -1001234567890}


def test_what_is_not_out_is_not_there() -> None:
    with TelegramServer() as server:
        assert looked_up(server, put("Another"), fault=FaultKind.RESET) is None


def test_messages_of_others_in_between_are_no_hindrance() -> None:
    with TelegramServer() as server:
        found = looked_up(server, put("Another"), put(*"abcdefgh"), others=["101"])
    assert isinstance(found, Published)
    assert found.remote_id == "102"
    with TelegramServer() as server:
        found = looked_up(server, put(*"abcdefgh"), put("Is it not there?"), others=["101"])
    assert isinstance(found, Published)
    assert found.remote_id == "109"


def test_a_post_that_went_out_later_does_not_hide_it() -> None:
    """The account's newest post may be younger than the one in doubt."""
    with TelegramServer() as server:
        found = looked_up(server, put("Old", at=0), put("Later"), others=["101", "103"])
        assert isinstance(found, Published)
        assert found.remote_id == "102"
    with TelegramServer() as server:
        found = looked_up(server, after=put("Later"), others=["102"])
        assert isinstance(found, Published)
        assert found.remote_id == "101"


def test_an_equal_post_is_not_taken_for_it() -> None:
    same = "Is it there?"
    with TelegramServer() as server:
        assert looked_up(server, put(same), fault=FaultKind.RESET) is None
    with TelegramServer() as server:
        before = put("One", same, at=server.clock() - HOUR)
        assert looked_up(server, before, others=["101"], fault=FaultKind.RESET) is None
    with TelegramServer() as server:
        assert isinstance(looked_up(server, put("One"), put(same), others=["101"]), Unknown)


def test_without_any_post_before_nobody_can_tell() -> None:
    with TelegramServer() as server:
        found = looked_up(server, others=[])
    assert isinstance(found, Unknown)
    assert found.final


def test_what_cant_be_forwarded_is_not_taken_for_absent() -> None:
    with TelegramServer() as server:
        server.protected = "yes"
        assert isinstance(looked_up(server, put("One")), Unknown)


def test_deleted_messages_are_no_end() -> None:
    def gone(server: TelegramServer) -> None:
        put(*"abcd")(server)
        for number in (102, 103, 104):
            server.state.delete(server.state.channel, number)

    with TelegramServer() as server:
        found = looked_up(server, gone, others=["101", "104"])
    assert isinstance(found, Published)
    assert found.remote_id == "105"


def test_a_chat_with_too_much_in_it_is_left_to_a_person() -> None:
    with TelegramServer() as server:
        found = looked_up(server, put("One"), put(*"x" * 60), fault=FaultKind.RESET)
    assert isinstance(found, Unknown)


def test_an_album_is_found_whole(tmp_path: Path) -> None:
    files = (attachment(tmp_path), attachment(tmp_path))
    with TelegramServer() as server:
        found = looked_up(server, put("One"), put("Later"), attachments=files, others=["101"])
    assert isinstance(found, Published)
    assert (found.remote_id, found.data["ids"]) == ("102", [102, 103])


def test_a_part_of_a_thread_is_looked_for_behind_the_one_before() -> None:
    async def scene(sender: Sender) -> Found:
        first = out(await sender.send(message("One", key="1")))
        prepared = await sender.prepare(two := message("Two", key="2", n=2), first, first)
        server.program_publishing(Fault(FaultKind.RESET_AFTER))
        await sender.publish(prepared, two.key)
        server.wait_for(2)
        return await sender.find(prepared, two.key)

    with TelegramServer() as server:
        login = replace(server.login(), settings={"probe_chat": str(PRIVATE)})
        found = play(login, scene)
    assert isinstance(found, Published)
    assert found.remote_id == "102"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(429, {"ok": False, "error_code": 429, "description": "Too Many Requests"}),
        Answer(400, {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}),
        Answer(403, {"ok": False, "error_code": 403, "description": "Forbidden: blocked"}),
        Answer(400, b"<html>no"),
        Answer(502, b"<html>"),
        Answer(200, b"<html>"),
        Answer(200, {"ok": True, "result": True}),
    ],
)
def test_an_answer_that_says_nothing_is_no_answer(answer: Answer) -> None:
    def after(server: TelegramServer) -> None:
        path = "/bot[^/]+/forwardMessage"
        server.program(Fault(FaultKind.ANSWER, answer), path=path, count=None)

    with TelegramServer() as server, pytest.raises(PlatformError):
        looked_up(server, put("One"), after)


def test_old_posts_are_known_by_their_age() -> None:
    with TelegramServer() as server:
        put(*"abcdefg", at=server.clock() - HOUR)(server)
        assert looked_up(server, others=["107"], fault=FaultKind.RESET) is None
        forwards = [r for r in server.requests if r.path.endswith("forwardMessage")]
    assert len(forwards) == 1 + 5
