"""What a loopback X keeps: posts, uploads and tokens of one account, and the rules for taking them.

Knows nothing of HTTP but the status codes of its refusals (fact sheet, sections 1 to 6).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from postsched.domain.weighted import weighted_length

FIRST_ID_TIME = 1288834974657
"""Milliseconds since 1970 of the first time that can be in an id."""
PROBLEMS = "https://api.x.com/2/problems/"
SIGNATURES = {
    "tweet_image": (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF"),
    "tweet_gif": (b"GIF87a", b"GIF89a"),
    "tweet_video": (b"\x00\x00\x00",),
}
"""How the files begin that each category takes."""
TYPES = {"tweet_gif": {"image/gif"}, "tweet_video": {"video/mp4", "video/quicktime"}}
FIELDS = {"text", "media", "reply", "reply_settings"}
"""What may stand in a post, of what the project sends."""
REPLY_SETTINGS = {"following", "mentionedUsers", "subscribers", "verified"}
LARGEST_PIECE = 5 * 1024 * 1024
USERNAME = "me_on_x"
STRANGER = "20"
"""The id of a post that is someone else's."""


class Refusal(Exception):
    """X refuses a request: a status and what it says."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def problem(status: int, detail: str, kind: str = "about:blank", title: str = "") -> Refusal:
    """A refusal in the shape of a problem (RFC 9457)."""
    titles = {400: "Invalid Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
    kind = kind if ":" in kind else PROBLEMS + kind
    return Refusal(
        status,
        {"title": title or titles[status], "detail": detail, "type": kind, "status": status},
    )


def invalid(message: str, **parameters: Any) -> Refusal:
    """A refusal of a request that can't be right."""
    given = {name: [str(value)] for name, value in parameters.items()}
    return Refusal(
        400,
        {
            "errors": [{"message": message, "parameters": given}],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": PROBLEMS + "invalid-request",
        },
    )


@dataclass(slots=True)
class Upload:
    """A file. `polls` is how often its state is not yet final; less than 0: processing fails."""

    id: str
    category: str
    kind: str
    total: int
    pieces: dict[int, bytes] = field(default_factory=dict)
    finished: bool = False
    polls: int = 0
    alt: str | None = None
    used: bool = False

    @property
    def usable(self) -> bool:
        """Whether it may be in a post."""
        return self.finished and self.polls == 0

    def state(self) -> dict[str, Any]:
        """How far its processing is; looking at it is what makes it go on."""
        if self.polls < 0:
            return {"state": "failed", "error": {"code": 1, "message": "InvalidMedia"}}
        if self.polls == 0:
            return {"state": "succeeded", "progress_percent": 100}
        self.polls -= 1
        return {"state": "in_progress", "check_after_secs": 0, "progress_percent": 8}


@dataclass(frozen=True, slots=True)
class Post:
    """A post, as it was sent; `at` is nanoseconds since the epoch."""

    id: str
    at: int
    text: str
    parent: str | None = None
    conversation: str = ""
    reply_settings: str | None = None
    media: tuple[Upload, ...] = ()


class State:
    """The posts (by id, oldest first) and uploads of one account.

    `limit` is how long a text may be; `polls` how often a film is asked about before it is ready;
    `same_text` whether a text may be posted twice.
    """

    def __init__(
        self, clock: Callable[[], int], limit: int, polls: int, *, same_text: bool
    ) -> None:
        self.posts: dict[str, Post] = {}
        self.uploads: dict[str, Upload] = {}
        self._clock = clock
        self._limit = limit
        self._polls = polls
        self._same_text = same_text
        self._ids: set[int] = set()

    def new_id(self, at: int | None = None) -> str:
        """An id with the time in it, which nothing has yet."""
        at = self._clock() if at is None else at
        number = (at // 10**6 - FIRST_ID_TIME) << 22
        while number in self._ids:
            number += 1
        self._ids.add(number)
        return str(number)

    # Uploads

    def simple(self, category: str, content: bytes) -> Upload:
        """Take a file in one piece."""
        if category != "tweet_image":
            raise invalid("media_category is not one for this call", media_category=category)
        upload = Upload(self.new_id(), category, "image/*", len(content), {0: content})
        self._finish(upload)
        self.uploads[upload.id] = upload
        return upload

    def begin(self, given: Mapping[str, Any]) -> Upload:
        """Begin to take a file in pieces."""
        wanted = {"media_type": str, "media_category": str, "total_bytes": int}
        if set(given) != set(wanted):
            raise invalid(f"wanted are {sorted(wanted)}, not {sorted(given)}")
        category, kind, total = (
            given[name] for name in ("media_category", "media_type", "total_bytes")
        )
        if kind not in TYPES.get(category, ()) or not isinstance(total, int) or total <= 0:
            raise invalid("media_type, media_category and total_bytes don't fit", media_type=kind)
        upload = Upload(self.new_id(), category, kind, total)
        self.uploads[upload.id] = upload
        return upload

    def append(self, media_id: str, index: str, content: bytes) -> None:
        """Take one piece."""
        upload = self.found(media_id)
        if upload.finished or not index.isdigit() or int(index) > 999:
            raise invalid("segment_index is not one", segment_index=index)
        if not 0 < len(content) <= LARGEST_PIECE:
            raise invalid("the piece is empty or too large", media=len(content))
        upload.pieces[int(index)] = content

    def finalize(self, media_id: str) -> Upload:
        """All pieces are there."""
        upload = self.found(media_id)
        if sorted(upload.pieces) != list(range(len(upload.pieces))):
            raise invalid("a segment is missing", media_id=media_id)
        if sum(map(len, upload.pieces.values())) != upload.total:
            raise invalid("total_bytes is not what came", media_id=media_id)
        self._finish(upload)
        upload.polls = self._polls
        return upload

    def describe(self, given: Mapping[str, Any]) -> Upload:
        """Take the alt text of a file."""
        alt = ((given.get("metadata") or {}).get("alt_text") or {}).get("text")
        if set(given) != {"id", "metadata"} or not isinstance(alt, str):
            raise invalid("wanted are id and metadata.alt_text.text")
        upload = self.found(str(given["id"]))
        if len(alt) > 1000 or not alt:
            raise invalid("the alt text is empty or too long", alt_text=len(alt))
        upload.alt = alt
        return upload

    def found(self, media_id: str) -> Upload:
        """The upload of that id."""
        if media_id not in self.uploads:
            raise invalid("Your media IDs are invalid.", media_id=media_id)
        return self.uploads[media_id]

    def _finish(self, upload: Upload) -> None:
        content = b"".join(upload.pieces[n] for n in sorted(upload.pieces))
        if not content.startswith(SIGNATURES[upload.category]):
            raise invalid("media type unrecognized.", media_type=upload.kind)
        upload.finished = True

    # Posts

    def create(self, given: Mapping[str, Any]) -> Post:
        """Take a post, or refuse it."""
        for name in set(given) - FIELDS:
            raise invalid(f"[$.{name}: is not defined in the schema]", **{name: given[name]})
        text = str(given.get("text") or "").strip()
        media = self._media(given["media"]) if "media" in given else ()
        parent = self._parent(given["reply"]) if "reply" in given else None
        self._check(given, text, bool(media))
        post_id = self.new_id()
        root = self.posts[parent].conversation if parent else post_id
        post = Post(post_id, self._clock(), text, parent, root, given.get("reply_settings"), media)
        self.posts[post_id] = post
        for upload in media:
            upload.used = True
        return post

    def put(self, text: str, *, at: int | None = None, parent: str | None = None) -> Post:
        """A post that the account's owner wrote elsewhere; `at` in nanoseconds."""
        at = self._clock() if at is None else at
        post_id = self.new_id(at)
        root = self.posts[parent].conversation if parent else post_id
        post = Post(post_id, at, text, parent, root)
        self.posts[post_id] = post
        return post

    def _check(self, given: Mapping[str, Any], text: str, has_media: bool) -> None:
        settings = given.get("reply_settings")
        if settings is not None and ("reply" in given or settings not in REPLY_SETTINGS):
            raise invalid("reply_settings is not one", reply_settings=settings)
        if not text and not has_media:
            raise invalid("text is missing", text="")
        if weighted_length(text, 23) > self._limit:
            raise problem(403, "Your Tweet text is too long. For more information, see the docs.")
        if len(re.findall(r"(?<!\w)\$[A-Za-z]{1,6}\b", text)) > 1:
            raise problem(403, "You can only include one cashtag in a Post.")
        equal = any(_same(post.text, text) for post in self.posts.values())
        if equal and text and not self._same_text:
            raise problem(403, "You are not allowed to create a Tweet with duplicate content.")

    def _media(self, given: Any) -> tuple[Upload, ...]:
        if not isinstance(given, dict) or set(given) != {"media_ids"} or not given["media_ids"]:
            raise invalid("media.media_ids is missing or more is there", media=given)
        ids = given["media_ids"]
        if not all(isinstance(one, str) for one in ids) or len(set(ids)) < len(ids):
            raise invalid("media.media_ids are not texts that differ", **{"media.media_ids": ids})
        uploads = tuple(self.uploads[one] for one in ids if one in self.uploads)
        if len(uploads) < len(ids) or not all(upload.usable for upload in uploads):
            raise invalid("Your media IDs are invalid.", **{"media.media_ids": ids})
        alone = any(upload.category != "tweet_image" for upload in uploads)
        if len(uploads) > (1 if alone else 4):
            raise invalid("Too many media, or kinds that don't mix", **{"media.media_ids": ids})
        return uploads

    def _parent(self, given: Any) -> str:
        if not isinstance(given, dict) or set(given) != {"in_reply_to_tweet_id"}:
            raise invalid("reply.in_reply_to_tweet_id is missing or more is there", reply=given)
        parent = given["in_reply_to_tweet_id"]
        if parent == STRANGER:
            raise problem(
                403,
                "Reply to this conversation is not allowed because you have not been mentioned or "
                "otherwise engaged by the author of the post you are replying to.",
            )
        if not isinstance(parent, str) or parent not in self.posts:
            raise invalid("The Post you are replying to does not exist.", reply=parent)
        return parent


def _same(one: str, other: str) -> bool:
    return _normal(one) == _normal(other)


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
