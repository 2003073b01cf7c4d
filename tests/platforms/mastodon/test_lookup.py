"""Finding a post whose answer was lost: which status is taken for it, and which is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from postsched.domain.outcome import Published
from postsched.platforms.base import Unknown
from postsched.testing import Answer, Fault, FaultKind, MastodonServer
from postsched.testing.sender import Sender, message
from tests.platforms.mastodon.playing import out, picture, play

SECOND = 10**9


def found(
    server: MastodonServer, text: str, since: datetime | None = None
) -> Published | Unknown | None:
    """What is found of a post with that text, first sent at `since` (a second ago)."""

    async def scene(sender: Sender) -> Published | Unknown | None:
        one = message(text)
        return await sender.find(await sender.prepare(one), one.key, since)

    return play(server.login(), scene)


TEXTS = [
    "Hello",
    "Two\nlines\n\n\nand  spaces ",
    "A link https://example.com/a/rather/long/path?with=a&query=too and more",
    "@someone@far.example and @near, see #this",
    'Signs: <b> & "quotes" * _ ` ~ [x](y)',
    "1. one\n2. two",
    "👩‍👩‍👧 日本語 é é",
]


@pytest.mark.parametrize("flavour", ["mastodon", "gotosocial", "pixelfed"])
@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_known_again(flavour: str, text: str) -> None:
    """By its source, or, where there is none, by how it is shown."""
    with MastodonServer(flavour=flavour) as server:
        status = server.put(text.strip())
        server.put("something else")
        server.put(text.strip() + " too")
        answer = found(server, text)
    assert isinstance(answer, Published), answer
    assert answer.remote_id == status.id


def test_markdown_is_known_by_its_source() -> None:
    """GoToSocial can be set to render what it gets as Markdown."""
    with MastodonServer(flavour="gotosocial") as server:
        server.render = lambda text: "<ol><li>one</li></ol>"
        status = server.put("1. one")
        answer = found(server, "1. one")
    assert isinstance(answer, Published)
    assert answer.remote_id == status.id


def test_plain_texts_need_no_source() -> None:
    """An account may have posted hundreds just now."""
    with MastodonServer() as server:
        for n in range(300):
            server.put(f"Number {n}.")
        assert found(server, "Number 300.") is None
        assert not [r for r in server.requests if r.path.endswith("/source")]


def test_too_much_to_look_at_is_unknown() -> None:
    with MastodonServer() as server:
        for n in range(500):
            server.put(f"Number {n}.")
        assert isinstance(found(server, "Number 500."), Unknown)


def test_too_much_that_is_like_it_is_unknown() -> None:
    with MastodonServer() as server:
        for n in range(50):
            server.put(f"Number {n} #tag")
        assert isinstance(found(server, "Number 50 #tag"), Unknown)
        assert isinstance(found(server, "Number 49 #tag"), Published)


def test_older_pages_are_read_until_the_send() -> None:
    with MastodonServer() as server:
        now = server.clock()
        server.put("Hello", at=now - 3600 * SECOND)
        status = server.put("Hello", at=now - 600 * SECOND)
        for n in range(100):
            server.put(f"Later {n}", at=now - (100 - n) * SECOND)
        answer = found(server, "Hello", datetime.now(UTC) - timedelta(seconds=601))
        assert isinstance(answer, Published)
        assert answer.remote_id == status.id
        assert len([r for r in server.requests if r.path.endswith("/statuses")]) == 3


@pytest.mark.parametrize(("age", "there"), [(55, True), (65, False)])
def test_clocks_may_differ_by_a_minute(age: int, there: bool) -> None:
    with MastodonServer() as server:
        server.put("Hello", at=server.clock() - age * SECOND)
        answer = found(server, "Hello", datetime.now(UTC))
    assert (answer is not None) is there


def test_two_that_could_be_it_are_unknown() -> None:
    with MastodonServer() as server:
        server.put("Hello")
        server.put("Hello")
        assert isinstance(found(server, "Hello"), Unknown)


def test_a_reply_is_not_taken_for_a_post() -> None:
    with MastodonServer() as server:
        first = server.put("First")
        server.put("Hello", parent=first.id)
        assert found(server, "Hello") is None


def test_a_boost_is_not_taken_for_a_post() -> None:
    with MastodonServer() as server:
        server.put("Hello").reblog = True
        assert found(server, "Hello") is None
        server.program(
            Fault(
                FaultKind.ANSWER_AFTER,
                Answer(200, [{"id": "1", "created_at": "2099-01-01T00:00:00Z", "reblog": {}}]),
            ),
            "GET",
            "/api/v1/accounts/7/statuses",
        )
        assert found(server, "Hello") is None


def test_a_post_without_the_picture_is_not_it(tmp_path: Path) -> None:
    async def scene(sender: Sender) -> None:
        one = message("Hello", attachments=(picture(tmp_path),))
        prepared = await sender.prepare(one)
        server.put("Hello")
        assert await sender.find(prepared, one.key) is None
        published = out(await sender.publish(prepared, one.key))
        found = await sender.find(prepared, one.key)
        assert isinstance(found, Published)
        assert found.remote_id == published.remote_id

    with MastodonServer() as server:
        play(server.login(), scene)


def test_a_picture_without_text_is_found(tmp_path: Path) -> None:
    async def scene(sender: Sender) -> Published | Unknown | None:
        one = message("", attachments=(picture(tmp_path),))
        prepared = await sender.prepare(one)
        out(await sender.publish(prepared, one.key))
        return await sender.find(prepared, one.key)

    with MastodonServer() as server:
        assert isinstance(play(server.login(), scene), Published)


def test_without_facts_the_account_is_asked_for() -> None:
    async def scene(sender: Sender) -> Published | Unknown | None:
        one = message("Hello")
        prepared = await sender.prepare(one)
        out(await sender.publish(prepared, one.key))
        return await sender.find(prepared, one.key)

    with MastodonServer() as server:
        assert isinstance(play(server.login(), scene, inspect=False), Published)


@pytest.mark.parametrize(
    "rows",
    [
        {"error": "no"},
        ["no row"],
        [{"id": "1"}],
        [{"id": "1", "created_at": "yesterday"}],
        [{"id": "1", "created_at": None}],
    ],
)
def test_a_list_that_makes_no_sense_is_no_answer(rows: object) -> None:
    with MastodonServer() as server:
        server.program(
            Fault(FaultKind.ANSWER, Answer(200, rows)), "GET", "/api/v1/accounts/7/statuses"
        )
        with pytest.raises(Exception, match="can't be read"):
            found(server, "Hello")
