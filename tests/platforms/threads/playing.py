"""Scenes between the adapter and a loopback server."""

from __future__ import annotations

from postsched.domain.post import Media
from postsched.platforms.base import Attachment
from postsched.platforms.threads import Threads
from tests.platforms.playing import Player
from tests.platforms.playing import out as out

play = Player(Threads, inspect=False)


def at(name: str, alt: str | None = None) -> Attachment:
    """A medium by its address."""
    return Attachment(Media(None, f"https://media.example/{name}", alt))
