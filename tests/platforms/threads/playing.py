"""Scenes between the adapter and a loopback server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from postsched.domain.outcome import Published, Sent
from postsched.domain.post import Media
from postsched.platforms.base import Attachment, Login
from postsched.platforms.threads import Threads
from postsched.testing.client import PATIENCE, client
from postsched.testing.sender import Sender

T = TypeVar("T")


def play(login: Login, scene: Callable[[Sender], Awaitable[T]], *, inspect: bool = False) -> T:
    """Run a scene with a sender."""

    async def whole() -> T:
        async with client(PATIENCE) as http:
            sender = Sender(Threads, login, http)
            if inspect:
                await sender.inspect()
            return await scene(sender)

    return asyncio.run(whole())


def out(sent: Sent) -> Published:
    """The post; fails if it is not out."""
    assert isinstance(sent, Published), sent
    return sent


def at(name: str, alt: str | None = None) -> Attachment:
    """A medium by its address."""
    return Attachment(Media(None, f"https://media.example/{name}", alt))
