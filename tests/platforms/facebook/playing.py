"""Scenes between the adapter and a loopback server."""

from __future__ import annotations

from pathlib import Path

from postsched.domain.post import Media
from postsched.platforms.base import Attachment
from postsched.platforms.facebook import Facebook
from postsched.testing.picture import png
from postsched.testing.sender import key_of
from tests.platforms.playing import Player
from tests.platforms.playing import out as out

play = Player(Facebook)


def at(name: str, alt: str | None = None) -> Attachment:
    """A medium by its address."""
    return Attachment(Media(None, f"https://media.example/{name}", alt))


def file(folder: Path, name: str, alt: str | None = None, content: bytes = b"") -> Attachment:
    """A file: a picture, or a film by its name."""
    path, content = folder / name, content or png()
    path.write_bytes(content)
    kind = "video/mp4" if name.endswith(".mp4") else "image/png"
    return Attachment(Media(str(path), None, alt, kind, len(content), key_of(name)), path)
