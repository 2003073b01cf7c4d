"""Scenes between the adapter and a loopback server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from postsched.domain.outcome import Published, Sent
from postsched.domain.post import Media
from postsched.platforms.base import Attachment, Login
from postsched.platforms.discord import Discord
from postsched.testing.client import PATIENCE, client
from postsched.testing.picture import png
from postsched.testing.sender import Sender

T = TypeVar("T")


def play(login: Login, scene: Callable[[Sender], Awaitable[T]], *, inspect: bool = True) -> T:
    """Run a scene with a sender that has read the account's facts."""

    async def whole() -> T:
        async with client(PATIENCE) as http:
            sender = Sender(Discord, login, http)
            if inspect:
                await sender.inspect()
            return await scene(sender)

    return asyncio.run(whole())


def out(sent: Sent) -> Published:
    """The post; fails if it is not out."""
    assert isinstance(sent, Published), sent
    return sent


def attachment(
    folder: Path, kind: str | None = "image/png", alt: str | None = "a square"
) -> Attachment:
    """A file with a name that nobody else is to see."""
    path = folder / "private name.png"
    path.write_bytes(png())
    return Attachment(Media(str(path), None, alt, kind, len(png()), "0" * 64, 8, 8), path)
