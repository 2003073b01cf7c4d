"""Packed posts that differ from one only in their text, times and key: cast rather than packed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from postsched.store.bulk import CHILDREN, Packed, columns
from postsched.store.tables import deliveries, posts, schedules

_UID, _KEY, _DIGEST, _TEXT, _CREATED, _UPDATED = (
    columns(posts).index(name)
    for name in ("uid", "key", "digest", "text", "created_at", "updated_at")
)
_AT = columns(schedules).index("at")
_OCCURRENCE, _DUE, _NEXT, _PREPARE, _GRACE = (
    columns(deliveries).index(name)
    for name in ("occurrence", "due_at", "next_at", "prepare_at", "grace_until")
)
_SCHEDULE, _DELIVERIES = (1 + CHILDREN.index(table) for table in (schedules, deliveries))


class Cast(NamedTuple):
    """What is a post's own. Instants are microseconds since 1970; `at` is what its schedule notes;
    `prepare_at` has an instant for each delivery."""

    uid: str
    key: str
    digest: str
    text: str
    now: int
    at: str
    occurrence: int
    grace_until: int | None
    prepare_at: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Mould:
    """A packed post with one schedule, whose deliveries are all due at its occurrence."""

    packed: Packed

    def cast(self, own: Cast) -> Packed:
        """Another, with what is its own."""
        packed = self.packed.copy()
        post = packed[0] = packed[0].copy()
        post[_UID], post[_KEY], post[_DIGEST], post[_TEXT] = own.uid, own.key, own.digest, own.text
        post[_CREATED] = post[_UPDATED] = own.now
        schedule = packed[_SCHEDULE][0].copy()
        schedule[_AT] = own.at
        packed[_SCHEDULE] = [schedule]
        packed[_DELIVERIES] = rows = []
        for like, prepare_at in zip(self.packed[_DELIVERIES], own.prepare_at, strict=True):
            row = like.copy()
            row[_OCCURRENCE] = row[_DUE] = row[_NEXT] = own.occurrence
            row[_PREPARE], row[_GRACE] = prepare_at, own.grace_until
            rows.append(row)
        return packed
