"""Finding a post whose answer was lost: which post is taken for it, and which is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from postsched.domain.delivery import Role
from postsched.domain.outcome import Published
from postsched.platforms.base import PlatformError, Unknown
from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.sender import Sender, message
from postsched.testing.x import USER, XServer
from postsched.testing.x_state import FIRST_ID_TIME
from tests.platforms.x.playing import attachment, out, play

SECOND = 10**9
TIMELINE = ("GET", f"/2/users/{USER}/tweets")
Found = Published | Unknown | None


def found(server: XServer, text: str, since: datetime | None = None) -> Found:
    """What is found of a post with that text, first sent at `since` (a second ago)."""

    async def scene(sender: Sender) -> Found:
        one = message(text)
        return await sender.find(await sender.prepare(one), one.key, since)

    return play(server.login(), scene)


def found_in(answer: object, text: str = "Hello") -> Found:
    """What is found of a post where the timeline is that."""
    with XServer() as server:
        server.program(Fault(FaultKind.ANSWER, Answer(200, answer)), *TIMELINE)
        return found(server, text)


TEXTS = [
    "Hello",
    "Two\nlines\n\n\nand  spaces ",
    "A link https://example.com/a/rather/long/path?with=a&query=too and more",
    "Without a scheme: example.com, and Example.COM/Path",
    "Ends with https://example.com/",
    'Signs: <b> & "quotes" &amp; &lt; #tag @name $cash',
    "👩‍👩‍👧 日本語 é é",
]


@pytest.mark.parametrize("words", ["tweet", "post"])
@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_known_again(words: str, text: str) -> None:
    """Shown with t.co addresses and HTML, in the older vocabulary or the newer."""
    with XServer(words=words) as server:
        post = server.state.put(text.strip())
        server.state.put("something else")
        server.state.put(text.strip() + " too")
        answer = found(server, text)
    assert isinstance(answer, Published), answer
    assert answer.remote_id == post.id


@pytest.mark.parametrize("words", ["tweet", "post"])
def test_a_long_text_is_known_by_its_note(words: str) -> None:
    text = "日本語 & https://example.com/a " * 60
    with XServer(words=words, limit=25_000) as server:
        post = server.state.put(text.strip())
        server.state.put(text.strip() + " too")
        answer = found(server, text)
    assert isinstance(answer, Published), answer
    assert answer.remote_id == post.id


def test_a_picture_makes_no_difference(tmp_path: Path) -> None:
    async def scene(sender: Sender) -> None:
        for text in ("With a picture", ""):
            one = message(text, attachments=(attachment(tmp_path),))
            prepared = await sender.prepare(one)
            published = out(await sender.publish(prepared, one.key))
            answer = await sender.find(prepared, one.key)
            assert isinstance(answer, Published), answer
            assert answer == Published(published.remote_id, published.url)

    with XServer() as server:
        play(server.login(), scene)


def test_the_request_is_that_of_the_sheet() -> None:
    with XServer() as server:
        since = datetime(2026, 11, 22, 12, tzinfo=UTC)
        found(server, "Hello", since + timedelta(days=9))
        request = server.requests[-1]
    assert request.path == TIMELINE[1]
    assert request.query["max_results"] == "20"
    assert request.query["start_time"].endswith("Z")
    fields = request.query["tweet.fields"].split(",")
    assert {"created_at", "entities", "note_tweet", "referenced_tweets"} <= set(fields)
    assert "exclude" not in request.query


def test_of_a_reply_what_follows_its_parent_is_looked_at() -> None:
    async def scene(sender: Sender) -> None:
        first = out(await sender.send(message("One", key="1")))
        one = message("Two", key="2", n=2)
        prepared = await sender.prepare(one, first, first)
        assert await sender.find(prepared, one.key) is None
        assert server.requests[-1].query["since_id"] == first.remote_id
        second = out(await sender.publish(prepared, one.key))
        answer = await sender.find(prepared, one.key)
        assert isinstance(answer, Published)
        assert answer.remote_id == second.remote_id

    with XServer() as server:
        play(server.login(), scene)


def test_a_comment_is_found_below_the_first_part() -> None:
    async def scene(sender: Sender) -> None:
        first, second = await sender.thread(message("1", key="1"), message("2", key="2", n=2))
        one = message("More", key="3", role=Role.COMMENT)
        server.state.put("More", parent=second.remote_id)
        prepared = await sender.prepare(one, first, second)
        assert await sender.find(prepared, one.key) is None
        comment = server.state.put("More", parent=first.remote_id)
        answer = await sender.find(prepared, one.key)
        assert isinstance(answer, Published)
        assert answer.remote_id == comment.id

    with XServer() as server:
        play(server.login(), scene)


def test_a_reply_is_not_taken_for_a_post() -> None:
    with XServer() as server:
        first = server.state.put("First")
        server.state.put("Hello", parent=first.id)
        assert found(server, "Hello") is None


@pytest.mark.parametrize(("age", "there"), [(55, True), (65, False)])
def test_clocks_may_differ_by_a_minute(age: int, there: bool) -> None:
    with XServer() as server:
        server.state.put("Hello", at=server.clock() - age * SECOND)
        answer = found(server, "Hello", datetime.now(UTC))
    assert (answer is not None) is there


def test_an_earlier_try_of_the_same_step_is_found_too() -> None:
    """It was not to be seen when X was asked, so it was sent again, and refused as equal."""

    async def scene(sender: Sender) -> Found:
        one = message("Hello")
        prepared = await sender.prepare(one)
        out(await sender.publish(prepared, one.key))
        return await sender.find(prepared, one.key, datetime.now(UTC) + timedelta(minutes=10))

    with XServer() as server:
        assert isinstance(play(server.login(), scene), Published)


def test_of_several_the_earliest_is_taken() -> None:
    with XServer() as server:
        first = server.state.put("Hello")
        server.state.put("Hello")
        answer = found(server, "Hello")
    assert isinstance(answer, Published)
    assert answer.remote_id == first.id


def test_what_belongs_to_another_delivery_is_not_taken() -> None:
    async def scene(sender: Sender) -> Found:
        one = message("Hello")
        other = server.state.put("Hello")
        prepared = await sender.prepare(one)
        return await sender.find(replace(prepared, others=frozenset({other.id})), one.key)

    with XServer() as server:
        assert play(server.login(), scene) is None


def test_a_post_that_does_not_show_yet_is_not_there_yet() -> None:
    with XServer(delay=3600) as server:
        server.state.put("Hello")
        assert found(server, "Hello") is None
        server.delay = 0
        assert isinstance(found(server, "Hello"), Published)


def test_every_page_is_looked_at() -> None:
    with XServer() as server:
        post = server.state.put("Hello")
        for n in range(100):
            server.state.put(f"Later {n}")
        answer = found(server, "Hello")
        assert isinstance(answer, Published)
        assert answer.remote_id == post.id
        assert len([r for r in server.requests if r.path == TIMELINE[1]]) == 6
        for n in range(100, 250):
            server.state.put(f"Later {n}")
        assert isinstance(found(server, "Hello"), Unknown)


def test_without_facts_the_account_is_asked_for() -> None:
    async def scene(sender: Sender) -> Found:
        one = message("Hello")
        prepared = await sender.prepare(one)
        out(await sender.publish(prepared, one.key))
        return await sender.find(prepared, one.key)

    with XServer() as server:
        assert isinstance(play(server.login(), scene, inspect=False), Published)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(402, {"title": "CreditsDepleted"}),
        Answer(403, {"title": "Forbidden", "detail": "Your token lacks the scope tweet.read."}),
        Answer(403, {"detail": "no", "type": "https://api.x.com/2/problems/client-forbidden"}),
    ],
)
def test_where_nothing_may_be_read_a_person_decides(answer: Answer) -> None:
    with XServer() as server:
        server.program(Fault(FaultKind.ANSWER, answer), *TIMELINE)
        unknown = found(server, "Hello")
    assert isinstance(unknown, Unknown)
    assert unknown.final


def test_a_refused_login_is_raised() -> None:
    with XServer() as server:
        server.program(Fault(FaultKind.ANSWER, Answer(401, {})), *TIMELINE)
        with pytest.raises(PlatformError):
            found(server, "Hello")


ID = str((1795000000000 - FIRST_ID_TIME) << 22)
FUTURE = "2099-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    "page",
    [
        {},
        {"data": {}},
        {"data": None},
        {"data": ["no row"]},
        {"data": [{"text": "Hello"}]},
        {"data": [{"id": "x"}]},
        {"errors": [{"detail": "no"}]},
        {"meta": {"result_count": 1}},
    ],
)
def test_a_list_that_makes_no_sense_is_no_answer(page: object) -> None:
    with pytest.raises(PlatformError, match="can't be read"):
        found_in(page)


def test_an_empty_list_is_one() -> None:
    assert found_in({"meta": {"result_count": 0}}) is None
    assert found_in({"data": [], "meta": {"result_count": 0}}) is None


def test_the_time_is_in_the_id_where_it_is_not_told() -> None:
    def page(at: datetime) -> object:
        number = (int(at.timestamp() * 1000) - FIRST_ID_TIME) << 22
        return {"data": [{"id": str(number), "text": "Hello"}]}

    assert isinstance(found_in(page(datetime.now(UTC))), Published)
    assert found_in(page(datetime.now(UTC) - timedelta(minutes=5))) is None


def test_a_parent_that_is_not_told_is_not_guessed() -> None:
    row = {"id": ID, "text": "Hello", "created_at": FUTURE, "conversation_id": "7"}
    assert isinstance(found_in({"data": [row]}), Unknown)
    assert isinstance(found_in({"data": [{**row, "conversation_id": ID}]}), Published)
    replied = [{"type": "replied_to", "id": "7"}]
    assert found_in({"data": [{**row, "referenced_tweets": replied}]}) is None
    quoted = [{"type": "quoted", "id": "7"}]
    row["conversation_id"] = ID
    assert isinstance(found_in({"data": [{**row, "referenced_posts": quoted}]}), Published)


def test_a_link_that_is_not_told_is_not_guessed() -> None:
    row = {"id": ID, "text": "See https://t.co/abc now", "created_at": FUTURE}
    assert isinstance(found_in({"data": [row]}, "See https://example.com now"), Unknown)
    assert found_in({"data": [row]}, "See https://example.com then") is None
    assert found_in({"data": [row]}, "See nothing now") is None


def test_a_text_that_is_cut_is_not_guessed() -> None:
    row = {"id": ID, "text": "A long text that goes on…", "created_at": FUTURE}
    assert isinstance(found_in({"data": [row]}, "A long text that goes on and on"), Unknown)
    assert found_in({"data": [row]}, "Another long text that goes on and on") is None


def test_short_addresses_that_begin_alike_are_told_apart() -> None:
    urls = [
        {"url": "https://t.co/a", "expanded_url": "https://one.example.com/?a=1&b=2"},
        {"url": "https://t.co/ab", "expanded_url": "https://two.example.com"},
        {"url": None}, "no url",
    ]  # fmt: skip
    row = {"id": ID, "text": "https://t.co/ab https://t.co/a", "created_at": FUTURE}
    page = {"data": [{**row, "entities": {"urls": urls}}]}
    text = "https://two.example.com https://one.example.com/?a=1&b=2"
    assert isinstance(found_in(page, text), Published)
