"""Scenes between the adapter and a loopback server."""

from __future__ import annotations

from pathlib import Path

from postsched.domain.post import Media
from postsched.platforms.base import Attachment
from postsched.platforms.telegram import Telegram
from postsched.testing.picture import png
from tests.platforms.playing import Player
from tests.platforms.playing import out as out

MP4 = b"\x00\x00\x00\x20ftypisom" + b"\x00" * 100
GIF = b"GIF89a" + b"\x00" * 100
MP3 = b"ID3" + b"\x00" * 100
PDF = b"%PDF-1.7"

play = Player(Telegram)


def attachment(
    folder: Path,
    kind: str = "image/png",
    content: bytes | None = None,
    *,
    width: int = 8,
    height: int = 8,
) -> Attachment:
    """A file with a name that nobody else is to see."""
    content = png() if content is None else content
    path = folder / f"private name.{kind.partition('/')[2]}"
    path.write_bytes(content)
    media = Media(str(path), None, None, kind, len(content), "0" * 64, width, height)
    return Attachment(media, path)
