"""Records: what a post on Bluesky is made of, and the key that makes it one.

A record is frozen when it is prepared; every try sends the same bytes under the same key, so it
can be tried as often as need be (lexicon app.bsky.feed.post, atproto.com/specs/tid).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from postsched.domain.delivery import Role
from postsched.domain.outcome import Published
from postsched.platforms.base import Message

COLLECTION = "app.bsky.feed.post"
LABELS = frozenset({"sexual", "nudity", "porn", "graphic-media"})
"""The content warnings an author can give (com.atproto.label.defs)."""
AFTER_ALL_PARTS = 1000
"""The place of the first comment: behind the parts of any thread."""

_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"


def tid(micros: int, clock: int) -> str:
    """A timestamp identifier: microseconds since the epoch (53 bits) and a clock id (10 bits) as
    13 digits that sort as the numbers do."""
    number = (micros & (1 << 53) - 1) << 10 | clock & 1023
    return "".join(_DIGITS[number >> shift & 31] for shift in range(60, -1, -5))


def record_key(message: Message) -> str:
    """The record's key: the same for every try, growing from part to part.

    It is the occurrence in whole seconds, a second more for each further part, and within the
    second about 30 bits of the step's key.
    """
    second = int(message.occurrence.timestamp()) + _place(message) - 1
    bits = int(message.key[:16], 16)
    return tid(second * 1_000_000 + (bits >> 10) % 1_000_000, bits)


def _place(message: Message) -> int:
    return message.n if message.role is Role.PART else AFTER_ALL_PARTS


def created_at(message: Message) -> str:
    """When the post says it was made: at its occurrence, or now if that is past. A post made
    ready ahead of time must not look older than it is; further parts are milliseconds younger."""
    moment = max(message.occurrence, message.now)
    return rfc3339(moment + timedelta(milliseconds=_place(message) - 1))


def rfc3339(moment: datetime) -> str:
    """A UTC instant to the millisecond, as the AT Protocol prefers it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def post(
    message: Message,
    text: str,
    facets: Sequence[Mapping[str, Any]],
    embed: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The whole record, but for what it replies to."""
    record: dict[str, Any] = {"$type": COLLECTION, "text": text, "createdAt": created_at(message)}
    if facets:
        record["facets"] = list(facets)
    if embed:
        record["embed"] = embed
    if message.lang:
        record["langs"] = [message.lang]
    if message.warning:
        values = [{"val": message.warning}]
        record["labels"] = {"$type": "com.atproto.label.defs#selfLabels", "values": values}
    return record


def reply_to(root: Published, parent: Published) -> dict[str, Any]:
    """What a part replies to: the first of the thread, and the one before it."""
    return {"root": _strong_ref(root), "parent": _strong_ref(parent)}


def _strong_ref(published: Published) -> dict[str, str]:
    return {"uri": published.remote_id, "cid": str(published.data["cid"])}
