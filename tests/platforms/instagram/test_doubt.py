"""What may be out on Instagram after a backup was put back: it had another container then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from postsched.domain.delivery import Role
from postsched.domain.outcome import Published
from postsched.domain.post import Media
from postsched.platforms.base import Attachment, Unknown
from postsched.platforms.instagram import Instagram
from postsched.testing.instagram import InstagramServer
from postsched.testing.sender import Sender, key_of, message
from tests.platforms.playing import Player, out

Found = Published | Unknown | None
play = Player(Instagram)


def found(
    server: InstagramServer, *sent: str, names: tuple[str, ...], said: str = "Hello", **told: Any
) -> Found:
    """What is found of a text once those were sent, and it has a new container."""
    files = tuple(Attachment(Media(None, f"https://media.example/{n}", None)) for n in names)

    async def scene(sender: Sender) -> Found:
        for place, text in enumerate(sent):
            out(await sender.send(message(text, key=f"sent {place}", attachments=files)))
        prepared = await sender.prepare(message(said, attachments=files))
        prepared = replace(prepared, anew=True, now=datetime.now(UTC), **told)
        return await sender.find(prepared, key_of("first"))

    return play(server.login(), scene)


@pytest.mark.parametrize("names", [("a.jpg",), ("a.jpg", "b.jpg")])
def test_among_the_posts(names: tuple[str, ...]) -> None:
    with InstagramServer() as server:
        assert found(server, "other", names=names) is None
        answer = found(server, "Hello", "Hello!", names=names)
        assert isinstance(answer, Published), answer
        (post,) = (post for post in server.posts() if post.text == "Hello")
        assert answer.remote_id == post.remote_id
        assert isinstance(found(server, "Hello", names=names), Unknown)
        answer = found(server, names=names, others=frozenset({post.remote_id}))
        assert isinstance(answer, Published)
        assert answer.remote_id != post.remote_id


def test_one_without_words_could_be_any() -> None:
    with InstagramServer() as server:
        assert found(server, "other", names=("a.jpg",), said="") is None
        assert isinstance(found(server, "", names=("a.jpg",), said=""), Unknown)


def test_a_comment_is_looked_for_among_those_on_its_post() -> None:
    async def scene(sender: Sender) -> list[Found]:
        file = Attachment(Media(None, "https://media.example/a.jpg", None))
        root = out(await sender.send(message("Hello", key="root", attachments=(file,))))
        answers: list[Found] = []
        for n in range(3):
            comment = message("First", key=f"comment {n}", role=Role.COMMENT)
            prepared = await sender.prepare(comment, root, root)
            prepared = replace(prepared, anew=True, now=datetime.now(UTC))
            answers.append(await sender.find(prepared, comment.key))
            out(await sender.publish(prepared, comment.key))
        return answers

    with InstagramServer() as server:
        absent, there, several = play(server.login(), scene)
    assert absent is None
    assert isinstance(there, Published)
    assert isinstance(several, Unknown)
