"""Scenes between the adapter and a loopback server."""

from __future__ import annotations

from pathlib import Path

from postsched.domain.post import Media
from postsched.platforms.base import Attachment
from postsched.platforms.x import X
from postsched.testing.picture import png
from tests.platforms.playing import Player
from tests.platforms.playing import out as out

MP4 = b"\x00\x00\x00\x20ftypisom" + b"\x00" * 100
GIF = b"GIF89a" + b"\x00" * 100

play = Player(X)


def attachment(
    folder: Path,
    kind: str = "image/png",
    content: bytes | None = None,
    alt: str | None = "a square",
) -> Attachment:
    """A file with a name that nobody else is to see."""
    content = png() if content is None else content
    path = folder / f"private name.{kind.partition('/')[2]}"
    path.write_bytes(content)
    return Attachment(Media(str(path), None, alt, kind, len(content), "0" * 64, 8, 8), path)
