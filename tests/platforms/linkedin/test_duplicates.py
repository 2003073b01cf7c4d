"""A lost answer, settled by the refusal of the same post; and refusals that settle nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from postsched.domain.outcome import ErrorKind, Failed, Lost, Published, Sent
from postsched.platforms.base import PlatformError, Prepared, Unknown
from postsched.platforms.judging import classify
from postsched.platforms.linkedin.urn import made_at, of_post
from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.linkedin import LinkedInServer
from postsched.testing.sender import Sender, message
from tests.platforms.linkedin.playing import out, play

LOST = Fault(FaultKind.RESET_AFTER)
SECOND = 10**9


def sent_again(
    server: LinkedInServer,
    change: Callable[[Prepared, str], dict[str, Any]] = lambda prepared, urn: {},
    between: Callable[[], None] = lambda: None,
) -> tuple[str, Sent]:
    """A post whose answer is lost, and sent again: its URN, and what the second try comes to.
    `change` gives what the adapter is told then, from what was prepared and the URN."""

    async def scene(sender: Sender) -> tuple[str, Sent]:
        one, now = message("Hello"), datetime.now(UTC)
        prepared = await sender.prepare(one)
        server.program_publishing(LOST)
        assert isinstance(await sender.publish(prepared, one.key), Lost)
        server.wait_for(1)
        urn = server.posts()[0].remote_id
        between()
        told = {"now": now, "since": now, **change(prepared, urn)}
        return urn, await publish(sender, replace(prepared, **told))

    return play(server.login(), scene)


async def publish(sender: Sender, prepared: Prepared) -> Sent:
    """Publish with just what is prepared, where a Sender would add what it knows itself."""
    try:
        return await sender.platform.publish(prepared, "", sender.login, sender.http)
    except PlatformError as error:
        return classify(error, sending=True)


def test_the_refusal_names_what_is_out() -> None:
    with LinkedInServer() as server:
        urn, sent = sent_again(server)
        assert out(sent).remote_id == urn
        assert out(sent).url == f"https://www.linkedin.com/feed/update/{urn}/"
        assert len(server.posts()) == 1
        first, second = server.published_requests()
        assert first.body == second.body


def test_what_was_never_out_goes_out() -> None:
    async def scene(sender: Sender) -> Sent:
        one = message("Hello")
        prepared = await sender.prepare(one)
        server.program_publishing(Fault(FaultKind.RESET))
        assert isinstance(await sender.publish(prepared, one.key), Lost)
        return await sender.publish(prepared, one.key)

    with LinkedInServer() as server:
        published = out(play(server.login(), scene))
        assert [post.remote_id for post in server.posts()] == [published.remote_id]


def test_a_refusal_that_names_nothing_still_says_that_it_is_out() -> None:
    with LinkedInServer() as server:
        server.names_duplicates = False
        _, sent = sent_again(server)
    published = out(sent)
    assert (published.remote_id, published.url) == ("", None)
    assert published.evidence


def test_an_activity_is_adopted_too() -> None:
    number = (int(datetime.now(UTC).timestamp() * 1000)) << 22
    body = {"status": 422, "message": f"Content is a duplicate of urn:li:activity:{number}"}
    with LinkedInServer() as server:
        answer = Fault(FaultKind.ANSWER, Answer(422, body))
        _, sent = sent_again(server, between=lambda: server.program_publishing(answer))
    assert out(sent).remote_id == f"urn:li:activity:{number}"


def duplicate(sent: Sent) -> Failed:
    assert isinstance(sent, Failed), sent
    assert sent.problem.kind is ErrorKind.DUPLICATE
    assert sent.problem.hint
    return sent


def test_a_first_try_adopts_nothing() -> None:
    """Somebody wanted the same text twice: the second is not out (trap 1)."""
    with LinkedInServer() as server:
        old = server.put("Hello", at=server.clock() - SECOND)
        sent = play(server.login(), lambda s: s.send(message("Hello")))
        assert old.urn in duplicate(sent).problem.message
        assert [post.remote_id for post in server.posts()] == [old.urn]


def test_an_older_post_is_another_one() -> None:
    """Of yesterday, say, by a series; the try whose answer was lost was refused already."""
    with LinkedInServer() as server:
        server.put("Hello", at=server.clock() - 61 * SECOND)

        async def scene(sender: Sender) -> Sent:
            one, now = message("Hello"), datetime.now(UTC)
            prepared = await sender.prepare(one)
            server.program_publishing(LOST)
            assert isinstance(await sender.publish(prepared, one.key), Lost)
            return await publish(sender, replace(prepared, since=now))

        duplicate(play(server.login(), scene))
        assert len(server.posts()) == 1


@pytest.mark.parametrize(("seconds", "adopted"), [(59, True), (62, False)])
def test_clocks_may_differ_by_a_minute(seconds: int, adopted: bool) -> None:
    with LinkedInServer() as server:
        later = datetime.now(UTC) + timedelta(seconds=seconds)
        _, sent = sent_again(server, lambda prepared, urn: {"since": later})
    assert isinstance(sent, Published) is adopted


def test_the_post_of_another_delivery_is_not_adopted() -> None:
    with LinkedInServer() as server:
        _, sent = sent_again(server, lambda prepared, urn: {"others": frozenset({urn})})
    duplicate(sent)


def test_a_ghost_is_left_to_a_person() -> None:
    """After a deletion, equal posts are refused with fresh URNs of posts that don't exist
    (trap 2)."""

    def delete_all() -> None:
        for post in server.state.posts.values():
            post.deleted = True

    with LinkedInServer() as server:
        urn, sent = sent_again(server, lambda prepared, urn: {"removed": True}, delete_all)
        assert not server.posts()
    assert isinstance(sent, Lost)
    assert sent.problem.kind is ErrorKind.UNCONFIRMED
    assert urn not in sent.problem.message, "a ghost has a URN of its own"


def test_a_person_can_not_be_asked() -> None:
    async def scene(sender: Sender) -> None:
        one = message("Hello")
        prepared = await sender.prepare(one)
        assert isinstance(await sender.find(prepared, one.key), Unknown)

    with LinkedInServer() as server:
        play(server.login(), scene)
        assert not server.published_requests()


@pytest.mark.parametrize(
    ("urn", "year"),
    [
        ("urn:li:share:7141138937766391808", 2023),
        ("urn:li:ugcPost:6844785523593134080", 2021),
        ("urn:li:share:1", None),
        ("urn:li:share:9999999999999999999", 2045),
        ("urn:li:image:C4E", None),
        ("", None),
    ],
)
def test_a_urn_holds_the_time(urn: str, year: int | None) -> None:
    made = made_at(urn)
    assert (made and made.year) == year


def test_what_is_a_post() -> None:
    assert of_post(" urn:li:share:12 ") == "urn:li:share:12"
    assert of_post("urn%3Ali%3Ashare%3A12") == "urn:li:share:12"
    for text in (
        "",
        "12",
        "urn:li:share:",
        "urn:li:share:x",
        "urn:li:comment:1",
        "x urn:li:share:1",
    ):
        assert of_post(text) is None
