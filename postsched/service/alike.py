"""Rows of an import that differ from one before only in text, time and key.

That one was judged in full: its accounts, limits and ways hold for all of them, and what it was
packed into is the mould of theirs. What is left to judge is the text, by a look that clears only
what is surely in nobody's way, and a time that is written in full. Every other row, and each that
something could be wrong with, is judged in full, too.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from postsched.domain.clearance import Clearance
from postsched.domain.delivery import EPOCH, MICROSECOND
from postsched.domain.draft import Draft
from postsched.domain.post import Post
from postsched.domain.when.exact import exact
from postsched.domain.zones import zone_named
from postsched.planning.planner import Planner, grace_until
from postsched.service.compose import Composed
from postsched.service.content import NO_TEXT
from postsched.store.bulk import Packed
from postsched.store.moulds import Cast, Mould
from postsched.transfer.keys import Alike

if TYPE_CHECKING:
    from postsched.domain.account import Account

OWN = ("text", "at", "key")
"""What rows that are alike differ in."""
MOST = 1000
"""How often a pattern is tried to be learned; where that is not enough, rows are not alike."""
WITHOUT = (
    "recurs", "slot", "media", "then", "comment", "link", "variants", "warning", "texts", "vars",
    "spread", "jitter", "draft",
)  # fmt: skip
"""What rows have that are judged in full: by what their text says, or to be planned one by one."""


class Patterns:
    """The patterns that were learned, by what their rows have in common."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._known: dict[str, Pattern | None] = {}
        self._tried = 0

    def of(self, record: Mapping[str, Any]) -> Pattern | None:
        """The pattern of a row as it was found, if its text and key need no closer look."""
        pattern = self._known.get(_common(record))
        return pattern if pattern is not None and pattern.clears(record) else None

    def learn(
        self, record: Mapping[str, Any], draft: Draft, composed: Composed, post: Post, row: Packed
    ) -> None:
        """Learn from a row that was judged in full, and the post it was packed into."""
        common = _common(record)
        if common in self._known or self._tried >= MOST:
            return
        self._tried += 1
        if any(getattr(draft, name) for name in WITHOUT) or not self._is_simple(composed):
            self._known[common] = None
            return
        if not draft.at or not draft.text:
            return
        pattern = Pattern(draft, composed, post, self._planner, Mould(row))
        if pattern.clears(record) and pattern.gives(draft, post, row):
            self._known[common] = pattern

    def _is_simple(self, composed: Composed) -> bool:
        """Whether nothing but the occurrence says when its deliveries are due."""
        pace = self._planner.timing.pace
        moved = composed.spread or composed.jitter or composed.times
        return not moved and not any(pace(account).quiet for account in composed.accounts)


class Pattern:
    """Rows that are like one `draft`, which was composed and became `post`."""

    def __init__(
        self, draft: Draft, composed: Composed, post: Post, planner: Planner, mould: Mould
    ) -> None:
        self._post, self._planner, self.mould = post, planner, mould
        self._accounts: tuple[Account, ...] = composed.accounts
        able = [planner.ability(account) for account in composed.accounts]
        self._digests = Alike(draft)
        self._zone = zone_named(composed.schedule.tz)
        self._is_clear = Clearance(able)
        self._prepares = any(one.prepares_text for one in able)

    def clears(self, record: Mapping[str, Any]) -> bool:
        """Whether the text and the key of a row need no closer look, and its time is one text."""
        text, at, key = record.get("text"), record.get("at"), record.get("key")
        return (
            isinstance(text, str)
            and isinstance(at, str)
            and at != ""
            and at.isascii()
            and "\0" not in at
            and (not key or (isinstance(key, str) and not NO_TEXT.search(key)))
            and self._is_clear(text)
        )

    def digest(self, record: Mapping[str, Any]) -> bytes:
        """What goes into the key of a row."""
        return self._digests.digest(record["at"], record["text"])

    def own(
        self, text: str, at: str, key: str, digest: str, now: datetime, uid: str | None = None
    ) -> Cast | None:
        """What is a row's own, if its time is written in full and still to come."""
        read = exact(at, self._zone)
        if read is None or read[0] < now:
            return None
        instant, noted = read
        ends = grace_until(self._post, instant)
        return Cast(
            uid or secrets.token_hex(16),
            key,
            digest,
            text,
            (now - EPOCH) // MICROSECOND,
            noted,
            (instant - EPOCH) // MICROSECOND,
            None if ends is None else (ends - EPOCH) // MICROSECOND,
            self._prepare_at(instant, now),
        )

    def gives(self, draft: Draft, post: Post, row: Packed) -> bool:
        """Whether it makes the same of the row that it was learned from."""
        assert draft.at
        assert post.key
        digest = self.digest({"at": draft.at, "text": draft.text}).hex()
        own = self.own(draft.text, draft.at, post.key, digest, post.created_at, post.uid)
        return own is not None and self.mould.cast(own) == row

    def _prepare_at(self, due: datetime, now: datetime) -> list[int | None]:
        if not self._prepares:
            return [None] * len(self._accounts)
        content, planner = self._post.content, self._planner
        found = [planner.prepare_at(content, one, due, now) for one in self._accounts]
        return [None if at is None else (at - EPOCH) // MICROSECOND for at in found]


def _common(record: Mapping[str, Any]) -> str:
    """What a row has but what is its own, and how it is written."""
    return repr({name: value for name, value in record.items() if name not in OWN})
