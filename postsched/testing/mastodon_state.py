"""What a loopback Mastodon keeps: statuses, media and keys, and the rules for taking them.

Knows nothing of HTTP but the status codes of its refusals (fact sheet, sections 3 to 6).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from postsched.testing.mastodon_flavours import Flavour

KEY_MEMORY = 3600 * 10**9
"""How long Mastodon knows a key, in nanoseconds."""
SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"\x00\x00\x00")
"""How the files begin that it takes: pictures, and last of all films."""
ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Refusal(Exception):
    """The server refuses a request: a status and what it says."""

    def __init__(self, status: int, body: str | bytes) -> None:
        super().__init__(status)
        self.status = status
        self.body: Any = {"error": body} if isinstance(body, str) else body


@dataclass(slots=True)
class Medium:
    """An uploaded file. `polls` is how often its state is "processing" before it is ready, less
    than 0 for never well."""

    id: str
    type: str
    description: str | None
    polls: int
    attached: bool = False


@dataclass(slots=True)
class Status:
    """A status, as it was sent; `at` is nanoseconds since the epoch."""

    id: str
    at: int
    text: str
    key: str | None = None
    parent: str | None = None
    warning: str = ""
    visibility: str = "public"
    language: str | None = None
    sensitive: bool = False
    media: list[Medium] = field(default_factory=list)
    reblog: bool = False
    deleted: bool = False


class State:
    """The statuses (by id, oldest first), media and keys of one account on a server."""

    def __init__(self, flavour: Flavour, clock: Callable[[], int]) -> None:
        self.statuses: dict[str, Status] = {}
        self.media: dict[str, Medium] = {}
        self._flavour = flavour
        self._clock = clock
        self._keys: dict[str, tuple[int, str]] = {}
        self._last_id = 0

    def new_id(self) -> str:
        """The next id: a number on Mastodon, letters and digits elsewhere."""
        number = max(self._last_id + 1, (self._clock() // 10**6) << 16)
        self._last_id = number
        if self._flavour.ids == "snowflake":
            return str(number)
        return "01" + "".join(ULID[(number >> shift) & 31] for shift in range(115, -1, -5))

    def known(self, key: str) -> Status | None:
        """The status of a key that is still remembered; Refusal if it was deleted since."""
        at, status_id = self._keys.get(key, (0, ""))
        if not self._flavour.remembers_keys or self._clock() - at >= KEY_MEMORY:
            return None
        return self.found(status_id)

    def found(self, status_id: str) -> Status:
        """The status of that id."""
        status = self.statuses.get(status_id)
        if status is None or status.deleted:
            raise Refusal(404, "Record not found")
        return status

    def upload(self, content: bytes, description: str, polls: int) -> Medium:
        """Take a file."""
        if not content.startswith(SIGNATURES):
            raise Refusal(422, "Validation failed: File content type is invalid, File is invalid")
        if len(description) > self._flavour.alt:
            raise Refusal(422, "Validation failed: Description is too long")
        kind = "image" if content.startswith(SIGNATURES[:-1]) else "video"
        medium = Medium(self.new_id(), kind, description or None, polls)
        self.media[medium.id] = medium
        return medium

    def create(self, given: Mapping[str, Any], key: str | None) -> Status:
        """Take a status, or refuse it."""
        status = Status(
            id="",
            at=self._clock(),
            text=(given.get("status") or "").strip(),
            key=key,
            parent=given.get("in_reply_to_id"),
            warning=(given.get("spoiler_text") or "").strip(),
            visibility=given.get("visibility") or "public",
            language=given.get("language"),
            sensitive=bool(given.get("sensitive")),
        )
        self._check(status)
        status.media = self._attach(given.get("media_ids") or [], status)
        status.id = self.new_id()
        self.statuses[status.id] = status
        if key:
            self._keys[key] = (status.at, status.id)
        return status

    def page(self, query: Mapping[str, str]) -> list[Status]:
        """One page of the account's statuses, newest first: limit, max_id, min_id."""
        limit = min(int(query.get("limit", "20")), 40)
        shown = [s for s in self.statuses.values() if not s.deleted]
        if query.get("exclude_reblogs") == "true":
            shown = [s for s in shown if not s.reblog]
        if "max_id" in query:
            shown = [s for s in shown if s.id < query["max_id"]]
        if "min_id" in query:
            return [s for s in shown if s.id > query["min_id"]][:limit][::-1]
        return shown[-limit:][::-1]

    def _check(self, status: Status) -> None:
        flavour = self._flavour
        parent = self.statuses.get(status.parent) if status.parent is not None else None
        if status.parent is not None and (parent is None or parent.deleted):
            raise Refusal(404, "The post you are trying to reply to does not appear to exist.")
        if status.visibility not in flavour.visibilities:
            self._refuse("Visibility is not included in the list")
        if status.language and not re.fullmatch(r"[a-z]{2,3}(-\w+)*", status.language):
            self._refuse("Language is invalid")
        if flavour.length(status.text, status.warning) > flavour.limit:
            self._refuse(f"Text character limit of {flavour.limit} exceeded")

    def _attach(self, ids: list[str], status: Status) -> list[Medium]:
        media = [self.media[medium_id] for medium_id in ids if medium_id in self.media]
        if len(media) < len(ids) or any(medium.attached for medium in media):
            raise Refusal(
                self._flavour.invalid, f"Media {ids} not found or already attached to another post"
            )
        if any(medium.polls for medium in media):
            raise Refusal(422, "Cannot attach files that have not finished processing.")
        alone = any(medium.type == "video" for medium in media)
        if len(media) > (1 if alone else self._flavour.media):
            self._refuse("Cannot attach so many files")
        if not media and (self._flavour.needs_media or not status.text):
            self._refuse("Text can't be blank")
        for medium in media:
            medium.attached = True
        return media

    def _refuse(self, words: str) -> None:
        prefix = "Bad Request" if self._flavour.invalid == 400 else "Validation failed"
        raise Refusal(self._flavour.invalid, f"{prefix}: {words}")
