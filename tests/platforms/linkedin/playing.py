"""Scenes between the adapter and a loopback LinkedIn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from postsched.domain.post import Media
from postsched.platforms.base import Attachment
from postsched.platforms.linkedin import LinkedIn
from postsched.testing.linkedin import LinkedInServer
from postsched.testing.picture import png
from tests.platforms.playing import Player
from tests.platforms.playing import out as out

MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(range(256)) * 40
PDF = b"%PDF-1.7\n" + bytes(100)

play = Player(LinkedIn)


def only(server: LinkedInServer) -> dict[str, Any]:
    """The body of the one post that is out."""
    (post,) = [one for one in server.state.posts.values() if not one.deleted]
    return dict(post.body)


def bodies(server: LinkedInServer, path: str) -> list[Any]:
    """The JSON of all requests to a path."""
    return [json.loads(r.body) for r in server.requests if r.path == path and r.body]


def picture(folder: Path, alt: str | None = "a square", name: str = "private.png") -> Attachment:
    """A small picture."""
    path = folder / name
    path.write_bytes(png())
    return Attachment(Media(str(path), None, alt, "image/png", len(png()), "0" * 64, 8, 8), path)


def file(folder: Path, name: str, kind: str, content: bytes, alt: str | None = None) -> Attachment:
    """A file of another kind, kept under a name of ours."""
    path = folder / "kept"
    path.write_bytes(content)
    return Attachment(Media(f"/home/me/{name}", None, alt, kind, len(content)), path)
