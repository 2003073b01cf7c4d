"""What may be out on LinkedIn after a backup was put back: its media had other names then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from postsched.domain.delivery import Role
from postsched.domain.outcome import Published
from postsched.platforms.base import Unknown
from postsched.testing.linkedin import LinkedInServer
from postsched.testing.sender import Sender, key_of, message
from tests.platforms.linkedin.playing import out, picture, play

Found = Published | Unknown | None


def found(
    server: LinkedInServer, folder: Path, *sent: tuple[str, int], pictures: int, **told: Any
) -> Found:
    """What is found of "Hello" with so many pictures, once those texts were sent with so many, and
    its pictures were brought there anew."""
    files = [picture(folder, name=f"{n}.png") for n in range(3)]

    async def scene(sender: Sender) -> Found:
        for place, (text, count) in enumerate(sent):
            one = message(text, key=f"sent {place}", attachments=tuple(files[:count]))
            out(await sender.send(one))
        prepared = await sender.prepare(message("Hello", attachments=tuple(files[:pictures])))
        prepared = replace(prepared, anew=True, now=datetime.now(UTC), **told)
        return await sender.find(prepared, key_of("first"))

    return play(server.login(), scene)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_by_its_words_and_the_number_of_its_pictures(tmp_path: Path, count: int) -> None:
    with LinkedInServer(page=True) as server:
        another = ("Hello", count + 1)
        assert found(server, tmp_path, ("other", count), another, pictures=count) is None
        wrong = frozenset(post.remote_id for post in server.posts())
        answer = found(server, tmp_path, ("Hello", count), pictures=count)
        assert isinstance(answer, Published), answer
        assert answer.remote_id == server.posts()[-1].remote_id
        told = {"others": wrong | {answer.remote_id}}
        assert found(server, tmp_path, pictures=count, **told) is None


def test_not_one_of_several(tmp_path: Path) -> None:
    with LinkedInServer(page=True) as server:
        server.put("Hello")
        server.put("Hello")
        assert isinstance(found(server, tmp_path, pictures=0), Unknown)


@pytest.mark.parametrize("role", list(Role))
def test_nobody_can_tell_of_a_person_or_of_a_comment(role: Role) -> None:
    """Not even whether it is not there."""

    async def scene(sender: Sender) -> Found:
        post = message("Hello", key="root")
        root = out(await sender.send(post))
        one = message("First", role=role) if role is Role.COMMENT else post
        on = (root, root) if role is Role.COMMENT else (None, None)
        prepared = await sender.prepare(one, *on)
        return await sender.find(replace(prepared, anew=True, now=datetime.now(UTC)), one.key)

    with LinkedInServer(page=role is Role.COMMENT) as server:
        assert isinstance(play(server.login(), scene), Unknown)
