"""What a loopback LinkedIn keeps: posts, comments and uploads, and the rules for taking them.

Knows of HTTP only the codes of its refusals (fact sheet, sections 3 to 6).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from postsched.testing.linkedin_text import shown

WINDOW = 24 * 3600 * 10**9
"""For how long an equal post is refused, in nanoseconds."""
NEEDED = {"author", "commentary", "visibility", "distribution", "lifecycleState"}
FIELDS = NEEDED | {"isReshareDisabledByAuthor", "content"}
DISTRIBUTION = {"feedDistribution", "targetEntities", "thirdPartyDistributionChannels"}
VARIANTS = {
    "media": ({"id"}, {"id", "altText", "title"}),
    "multiImage": ({"images"}, {"images"}),
    "article": ({"source", "title"}, {"source", "title", "description", "thumbnail"}),
}
"""What a post can show: the properties that each must have, and those it may."""
MAGIC = {
    "image": (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8"),
    "document": (b"%PDF-", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"),
    "video": (b"\x00\x00\x00",),
}
"""How the files begin that can be processed."""


class Refusal(Exception):
    """LinkedIn refuses a request: a status and a body."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def plain(status: int, code: str, message: str, service: int | None = None) -> Refusal:
    """A refusal of the first shape."""
    body: dict[str, Any] = {"status": status, "code": code, "message": message}
    return Refusal(status, body | ({} if service is None else {"serviceErrorCode": service}))


def wrong(code: str, words: str, where: str = "", status: int = 400, message: str = "") -> Refusal:
    """A refusal of the second shape: bad input."""
    given = {"inputPath": {"fieldPath": where}} if where else {}
    return Refusal(
        status,
        {
            "errorDetailType": "com.linkedin.common.error.BadRequest",
            "message": message or f"com.linkedin.restli.BadRequestResponseException: {words}",
            "errorDetails": {"inputErrors": [{"description": words, "input": given, "code": code}]},
            "status": status,
        },
    )


def only(body: Any, needed: set[str], allowed: set[str], where: str = "") -> Mapping[str, Any]:
    """The object itself, if it has all that it must and nothing that it must not."""
    if not isinstance(body, dict):
        raise wrong("INVALID_VALUE_FOR_FIELD", "an object is expected", where)
    for name in sorted(needed - body.keys()):
        raise wrong("MISSING_FIELD", f"Field {name} is required", f"{where}/{name}")
    for name in sorted(body.keys() - allowed):
        words = f"unrecognized field found but not allowed: {where}/{name}"
        raise wrong("INVALID_VALUE_FOR_FIELD", words, f"{where}/{name}", 422)
    return body


@dataclass(slots=True)
class Upload:
    """A file: `ranges` are the bytes asked for, `tags` what each part was called, `polls` how often
    it is still being processed when asked."""

    urn: str
    owner: str
    ranges: list[tuple[int, int]] = field(default_factory=list)
    parts: dict[int, bytes] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    polls: int = 0
    done: bool = False
    expired: bool = False

    @property
    def kind(self) -> str:
        """image, document or video."""
        return self.urn.split(":")[2]

    @property
    def content(self) -> bytes:
        """All of the file."""
        return b"".join(self.parts[n] for n in sorted(self.parts))

    @property
    def status(self) -> str:
        """How far it is."""
        if not self.done:
            return "WAITING_UPLOAD"
        if not self.content.startswith(MAGIC[self.kind]):
            return "PROCESSING_FAILED"
        return "PROCESSING" if self.polls else "AVAILABLE"


@dataclass(slots=True)
class Post:
    """A post as it was sent; `at` is nanoseconds since the epoch. A ghost was never shown."""

    urn: str
    at: int
    body: Mapping[str, Any]
    comments: list[str] = field(default_factory=list)
    deleted: bool = False
    ghost: bool = False

    @property
    def shown(self) -> str:
        """The text as people see it."""
        return shown(self.body["commentary"])

    @property
    def alts(self) -> tuple[str, ...]:
        """The alt texts of its media, in order."""
        content = self.body.get("content") or {}
        media = content.get("multiImage", {}).get("images") or [content.get("media")]
        return tuple(one.get("altText", "") for one in media if one)


class State:
    """The posts (oldest first), comments and uploads of one author."""

    def __init__(self, author: str, clock: Callable[[], int]) -> None:
        self.author = author
        self.posts: dict[str, Post] = {}
        self.uploads: dict[str, Upload] = {}
        self._clock = clock
        self._last = 0

    def new_number(self, at: int | None = None) -> int:
        """The next number: the time in milliseconds above 22 bits."""
        millis = (self._clock() if at is None else at) // 10**6
        self._last = max(self._last + 1, millis << 22) if at is None else millis << 22
        return self._last

    def add(self, body: Mapping[str, Any], at: int | None = None) -> Post:
        """A post that is out."""
        at = self._clock() if at is None else at
        post = Post(f"urn:li:share:{self.new_number(at)}", at, body)
        while post.urn in self.posts:
            number = int(post.urn.rpartition(":")[2]) + 1
            post.urn = f"urn:li:share:{number}"
        self.posts[post.urn] = post
        return post

    def equal(self, body: Mapping[str, Any]) -> Post | None:
        """The post that this one would be a duplicate of. After a deletion it is a ghost: a fresh
        URN, behind which there is nothing."""
        since = self._clock() - WINDOW
        for post in self.posts.values():
            if post.at >= since and not post.ghost and same(post.body, body):
                return self._ghost(post) if post.deleted else post
        return None

    def _ghost(self, post: Post) -> Post:
        ghost = self.add(post.body)
        ghost.ghost = ghost.deleted = True
        return ghost

    def found(self, urn: str) -> Post:
        """A post that is there."""
        post = self.posts.get(urn)
        if post is None or post.deleted:
            raise plain(404, "NOT_FOUND", f"{urn} does not exist")
        return post

    def create(self, body: Any) -> Post:
        """Take a post, or refuse it."""
        given = only(body, NEEDED, FIELDS)
        if given["author"] != self.author:
            raise plain(403, "ACCESS_DENIED", "Field Value validation failed: /author", 100)
        only(given["distribution"], DISTRIBUTION, DISTRIBUTION, "/distribution")
        self._check_words(given)
        if "content" in given:
            self._check_content(given["content"])
        return self.add(given)

    def _check_words(self, given: Mapping[str, Any]) -> None:
        text = given["commentary"]
        if not isinstance(text, str) or not text.strip():
            raise wrong("INVALID_VALUE_BLANK_FIELD", "Field is blank", "/commentary")
        if len(text) > 3000:
            words = f"Field length {len(text)} exceeds 3000"
            raise wrong("FIELD_LENGTH_TOO_LONG", words, "/commentary")
        person = self.author.startswith("urn:li:person:")
        allowed = {"PUBLIC", "CONNECTIONS", "LOGGED_IN"} if person else {"PUBLIC"}
        if given["visibility"] not in allowed or given["lifecycleState"] != "PUBLISHED":
            raise wrong("INVALID_VALUE_FOR_FIELD", "not one of the values", "/visibility")

    def _check_content(self, content: Any) -> None:
        only(content, set(), set(VARIANTS), "/content")
        if len(content) != 1:
            raise wrong("INVALID_VALUE_FOR_FIELD", "one kind of content to a post", "/content")
        ((name, value),) = content.items()
        only(value, *VARIANTS[name], where=f"/content/{name}")
        if name == "media":
            self._check_medium(value, ("image", "video", "document"))
        elif name == "multiImage":
            if not 2 <= len(value["images"]) <= 20:
                raise wrong("INVALID_VALUE_FOR_FIELD", "2 to 20 images", "/content/multiImage")
            for one in value["images"]:
                self._check_medium(only(one, {"id"}, {"id", "altText"}), ("image",))
        else:
            self._check_article(value)

    def _check_medium(self, value: Mapping[str, Any], kinds: tuple[str, ...]) -> None:
        upload = self.uploads.get(value["id"])
        if upload is None or upload.kind not in kinds:
            raise wrong("INVALID_URN_ID", f"{value['id']} is no {' or '.join(kinds)}", "/id")
        if len(value.get("altText", "")) > 4086:
            raise wrong("FIELD_LENGTH_TOO_LONG", "altText is too long", "/altText")
        if upload.kind == "document" and not value.get("title"):
            raise wrong("MISSING_FIELD", "Field title is required", "/content/media/title")
        if upload.expired:
            raise wrong("EXPIRED_UPLOAD_URL", f"{upload.urn} has expired", "/id")
        if upload.status == "PROCESSING_FAILED":
            raise wrong("MEDIA_ASSET_PROCESSING_FAILED", f"{upload.urn} failed", "/id")
        if upload.status != "AVAILABLE":
            raise wrong("MEDIA_ASSET_WAITING_UPLOAD", f"{upload.urn} is not ready", "/id")

    def _check_article(self, value: Mapping[str, Any]) -> None:
        if not str(value["source"]).startswith(("https://", "http://")):
            raise wrong("INVALID_VALUE_FOR_FIELD", "no address", "/content/article/source")
        if not value["title"].strip() or len(value["title"]) > 400:
            raise wrong("FIELD_LENGTH_TOO_LONG", "1 to 400 characters", "/content/article/title")
        if "thumbnail" in value:
            self._check_medium({"id": value["thumbnail"]}, ("image",))


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether LinkedIn takes two posts for the same."""
    names = ("author", "commentary", "content")
    first, second = ([post.get(name) for name in names] for post in (one, other))
    return json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)
