"""What a loopback Facebook has of posts, photos and films, and what it takes for one (fact sheet
facebook.md, sections 3 to 5)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from postsched.testing.graph import Refusal, invalid
from postsched.testing.graph_server import iso

TEXT_LIMIT = 63_206
PHOTO_LIMIT = 10 * 1024 * 1024
PHOTO_HEADS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*")
PIECE = 1024
"""Bytes of a film that are asked for at a time."""


@dataclass(slots=True)
class Photo:
    """A photo. `post` is the one that shows it."""

    id: str
    alt: str = ""
    post: str | None = None


@dataclass(slots=True)
class Film:
    """A film. `size` is how large it is to become; `at` when it was published."""

    id: str
    session: str
    size: int = 0
    content: bytes = b""
    form: Mapping[str, str] = field(default_factory=dict)
    at: int | None = None

    def status(self) -> dict[str, Any]:
        """How far it is."""
        done = self.at is not None
        return {
            "video_status": "processing" if done else "uploading",
            "publishing_phase": {"status": "complete" if done else "not_started"},
        }


@dataclass(frozen=True, slots=True)
class Post:
    """What is out; `at` in nanoseconds since the epoch."""

    id: str
    at: int
    form: Mapping[str, str]
    photos: tuple[Photo, ...] = ()

    @property
    def link(self) -> str:
        """Where people see it."""
        return f"https://www.facebook.com/{self.id.replace('_', '/posts/')}"

    @property
    def content(self) -> tuple[str, str, tuple[str, ...]]:
        """What makes it equal to another."""
        return (
            self.form.get("message", ""), self.form.get("link", ""),
            tuple(photo.id for photo in self.photos),
        )  # fmt: skip

    def row(self, fields: set[str]) -> dict[str, Any]:
        """The post as it is listed."""
        shown = [{"target": {"id": photo.id}} for photo in self.photos]
        album = {"target": {"id": f"album{self.id}"}, "subattachments": {"data": shown}}
        whole = {
            "id": self.id, "message": self.form.get("message"), "created_time": iso(self.at),
            "permalink_url": self.link,
            "attachments": {"data": [album] if len(shown) > 1 else shown} if shown else None,
        }  # fmt: skip
        return {name: value for name, value in whole.items() if name in fields and value}


def check_photo(form: Mapping[str, str], content: bytes | None) -> None:
    """Refuse what is no photo."""
    if (content is None) is ("url" not in form):
        raise Refusal(324, 2069019, "Missing or invalid image file")
    if content is None:
        path = urlsplit(form["url"]).path
        if "missing" in path:
            raise Refusal(324, 2069019, "The image could not be fetched")
        if PurePosixPath(path).suffix.lower() not in ("", ".jpg", ".jpeg", ".png", ".gif"):
            raise Refusal(324, 2069019, "Missing or invalid image file")
    elif not content.startswith(PHOTO_HEADS):
        raise Refusal(324, 2069019, "Missing or invalid image file")
    elif len(content) > PHOTO_LIMIT:
        raise Refusal(1, 1366046, "Your photos couldn't be uploaded: they should be less than 4 MB")


def attached(form: Mapping[str, str], photos: Mapping[str, Photo]) -> tuple[Photo, ...]:
    """The photos that a post is to show. Refuses those that are not there, or shown already."""
    try:
        wanted = json.loads(form.get("attached_media", "[]"))
        ids = [str(one["media_fbid"]) for one in wanted]
    except (ValueError, KeyError, TypeError):
        raise invalid("attached_media") from None
    if len(ids) > 10 or len(set(ids)) < len(ids) or set(ids) - set(photos):
        raise invalid("attached_media: there is no such photo, or too many")
    found = tuple(photos[one] for one in ids)
    if any(photo.post for photo in found):
        raise Refusal(100, 1366051, "These photos were already posted.")
    return found


def check_post(form: Mapping[str, str], photos: tuple[Photo, ...], last: Post | None) -> None:
    """Refuse what can be no post, and what is the same as the last."""
    message, link = form.get("message"), form.get("link", "")
    if message == "" or not (message or link or photos):
        raise Refusal(197, None, "The post is empty. Please enter a message to share.")
    if len((message or "").encode("utf-16-le")) // 2 > TEXT_LIMIT:
        raise invalid("message is too long")
    if link and urlsplit(link).scheme not in ("http", "https"):
        raise Refusal(100, 1609008, "The url you supplied is invalid")
    if link and photos:
        raise invalid("link or attached_media")
    if last and last.content == (message or "", link, tuple(photo.id for photo in photos)):
        raise Refusal(506, None, "(#506) Duplicate status message")
