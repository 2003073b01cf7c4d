"""Finding an organization's post whose answer was lost, among what its page has posted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postsched.domain.outcome import ErrorKind, Failed, Lost, Published
from postsched.platforms.base import PlatformError, Prepared, Unknown
from postsched.platforms.linkedin import LinkedIn
from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.linkedin import PERSONAL, LinkedInServer
from postsched.testing.sender import Sender, message
from tests.platforms.linkedin.playing import out, picture, play

SECOND = 10**9
TEXT = "Look (here) #tag"
SENT = r"Look \(here\) #tag"
Found = Published | Unknown | None


def found(server: LinkedInServer, **told: Any) -> Found:
    """What is found of a post with that text, first sent a second ago."""

    async def scene(sender: Sender) -> Found:
        one = message(TEXT)
        prepared = await sender.prepare(one)
        prepared = Prepared(prepared.data, **told)
        return await sender.find(prepared, one.key)

    return play(server.login(), scene)


@pytest.mark.parametrize("text", [SENT, TEXT])
def test_by_its_text_as_sent_or_as_written(text: str) -> None:
    with LinkedInServer(page=True) as server:
        server.put("something else")
        post = server.put(text)
        server.put(text + "!")
        answer = found(server)
        assert isinstance(answer, Published), answer
        assert answer.remote_id == post.urn
        asked = server.requests[-1]
        assert asked.headers["x-restli-method"] == "FINDER"
        assert asked.query == {"author": server.state.author, "q": "author", "count": "20",
                               "sortBy": "CREATED"}  # fmt: skip


def test_not_an_older_one() -> None:
    with LinkedInServer(page=True) as server:
        server.put(SENT, at=server.clock() - 62 * SECOND)
        assert found(server) is None


def test_not_a_draft_and_not_that_of_another_delivery() -> None:
    with LinkedInServer(page=True) as server:
        server.put(SENT, lifecycleState="DRAFT")
        other = server.put(SENT)
        assert found(server, others=frozenset({other.urn})) is None


def test_not_one_of_several() -> None:
    with LinkedInServer(page=True) as server:
        server.put(SENT)
        server.put(SENT)
        assert isinstance(found(server), Unknown)


def test_a_busy_page_is_read_further() -> None:
    with LinkedInServer(page=True) as server:
        post = server.put(SENT)
        for n in range(50):
            server.put(f"Later {n}")
        answer = found(server)
        assert isinstance(answer, Published)
        assert answer.remote_id == post.urn
        for n in range(60):
            server.put(f"Later still {n}")
        assert isinstance(found(server), Unknown)


def test_the_picture_must_be_the_same(tmp_path: Path) -> None:
    async def scene(sender: Sender) -> None:
        one = message(TEXT, attachments=(picture(tmp_path),))
        prepared = await sender.prepare(one)
        server.put(SENT, content={"media": {"id": "urn:li:image:other"}})
        assert await sender.find(prepared, one.key) is None
        published = out(await sender.publish(prepared, one.key))
        answer = await sender.find(prepared, one.key)
        assert isinstance(answer, Published)
        assert answer.remote_id == published.remote_id

    with LinkedInServer(page=True) as server:
        play(server.login(), scene)


@pytest.mark.parametrize(
    "rows",
    [{}, [], {"elements": 7}, {"elements": [7]}, {"elements": [{"id": "urn:li:share:1"}]},
     {"elements": [{"createdAt": "now"}]},
     {"elements": [{"createdAt": 9e12, "commentary": SENT, "id": 7}]}],
)  # fmt: skip
def test_a_list_that_makes_no_sense_is_no_answer(rows: object) -> None:
    async def scene(sender: Sender) -> None:
        one = message(TEXT)
        prepared = await sender.prepare(one)
        server.program(Fault(FaultKind.ANSWER, Answer(200, rows)), "GET", "/rest/posts")
        with pytest.raises(PlatformError, match="can't be read"):
            await sender.find(prepared, one.key)

    with LinkedInServer(page=True) as server:
        play(server.login(), scene)


def test_a_page_that_can_not_be_read_has_the_weaker_guarantee() -> None:
    async def scene(sender: Sender) -> bool:
        return sender.platform.capabilities(sender.login.facts).guarantee.can_look_up

    with LinkedInServer(page=True) as server:
        assert play(server.login(), scene)
    with LinkedInServer(page=True, scopes="w_organization_social") as server:
        assert not play(server.login(), scene)
        assert isinstance(found(server), Unknown)


def test_guarantees() -> None:
    person = LinkedIn().capabilities({"kind": "person", "author": "urn:li:person:1"}).guarantee
    assert (person.deduplicates, person.can_look_up) == (timedelta(minutes=10), False)
    page = LinkedIn().capabilities({"kind": "organization", "look_up": True}).guarantee
    assert (page.deduplicates, page.can_look_up, page.look_ups) == (None, True, (2.0, 30.0))
    assert not LinkedIn().capabilities({}).guarantee.settles
    assert not person.of_comments.settles
    assert not page.of_comments.settles
    assert PERSONAL == "openid profile w_member_social"


@pytest.mark.parametrize(("age", "outcome"), [(0, Lost), (3600, Failed)])
def test_a_duplicate_at_the_first_try_is_looked_at_if_it_is_young(
    age: int, outcome: type[Lost | Failed]
) -> None:
    """The page's list may have lacked it when it was asked, and so it was sent anew."""
    with LinkedInServer(page=True) as server:
        server.put(SENT, at=server.clock() - age * SECOND, content=None)
        sent = play(server.login(), lambda s: s.send(message(TEXT)))
        assert isinstance(sent, outcome), sent
        assert sent.problem.kind is ErrorKind.DUPLICATE


def test_nothing_is_found_before_it_is_listed() -> None:
    async def scene(sender: Sender) -> None:
        one = message(TEXT)
        prepared = await sender.prepare(one)
        out(await sender.publish(prepared, one.key))
        assert await sender.find(prepared, one.key) is None
        server.lag = 0
        assert isinstance(await sender.find(prepared, one.key, datetime.now(UTC)), Published)

    with LinkedInServer(page=True) as server:
        server.lag = 60 * SECOND
        play(server.login(), scene)
