"""Scenes between the adapter and a loopback server."""

from __future__ import annotations

from pathlib import Path

from postsched.domain.post import Media
from postsched.platforms.base import Attachment
from postsched.platforms.mastodon import Mastodon
from postsched.testing.picture import png
from tests.platforms.playing import Player
from tests.platforms.playing import out as out

play = Player(Mastodon)


def picture(folder: Path, alt: str | None = "a square") -> Attachment:
    """A small picture with a name that nobody else is to see."""
    path = folder / "private name.png"
    path.write_bytes(png())
    return Attachment(Media(str(path), None, alt, "image/png", len(png()), "0" * 64, 8, 8), path)
