"""Scenes between the adapter and a loopback server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from postsched.domain.outcome import Published, Sent
from postsched.domain.post import Media
from postsched.platforms.base import Attachment, Login
from postsched.platforms.facebook import Facebook
from postsched.testing.client import PATIENCE, client
from postsched.testing.picture import png
from postsched.testing.sender import Sender, key_of

T = TypeVar("T")


def play(login: Login, scene: Callable[[Sender], Awaitable[T]], *, inspect: bool = True) -> T:
    """Run a scene with a sender, which has read the Page's facts."""

    async def whole() -> T:
        async with client(PATIENCE) as http:
            sender = Sender(Facebook, login, http)
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


def file(folder: Path, name: str, alt: str | None = None, content: bytes = b"") -> Attachment:
    """A file: a picture, or a film by its name."""
    path, content = folder / name, content or png()
    path.write_bytes(content)
    kind = "video/mp4" if name.endswith(".mp4") else "image/png"
    return Attachment(Media(str(path), None, alt, kind, len(content), key_of(name)), path)
