"""When what is planned is due: the one place where spread, jitter and quiet hours move it.

An occurrence is what a schedule names, and never changes by that; a grace counts from when it is
due.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from postsched.domain.account import Account
from postsched.domain.errors import InvalidInput
from postsched.domain.post import Post
from postsched.domain.timing import ZERO, Offsets, Pace, due_at, key_of, pace_of
from postsched.store import chains

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from postsched.domain.quiet import QuietHours


@dataclass(frozen=True, slots=True)
class Turn:
    """The place of an account among `of` accounts that a post is spread over, from 0."""

    place: int = 0
    of: int = 1


FIRST = Turn()


@dataclass(frozen=True, slots=True)
class Timing:
    """What is set for all accounts; an account's own settings win. `zone` is what quiet hours are
    local in."""

    zone: tzinfo = UTC
    quiet: QuietHours | None = None
    spacing: timedelta = ZERO

    def pace(self, account: Account) -> Pace:
        """When an account may post; settings of its own that can't be read, which nothing of ours
        writes, don't count."""
        try:
            return pace_of(account.settings, self.quiet, self.spacing, self.zone)
        except InvalidInput:
            return Pace(self.zone, self.quiet, self.spacing)

    def due(self, post: Post, account: Account, occurrence: datetime, turn: Turn) -> datetime:
        """When the delivery of an occurrence is due (all UTC)."""
        key = key_of(post.uid, account.uid) if post.jitter else ""
        offsets = Offsets(post.spread, post.jitter, turn.place, turn.of, key)
        return due_at(occurrence, offsets, self.pace(account))


def turn_of(post: Post, account: Account) -> Turn:
    """The turn of an account that the post names."""
    if not post.spread or account.name not in post.accounts:
        return FIRST
    return Turn(post.accounts.index(account.name), len(post.accounts))


def turn_in(connection: Connection, post: Post, account: Account) -> Turn:
    """The same, as the database has it, of a post that was read without the names."""
    return Turn(*chains.place_of(connection, post.id, account.id)) if post.spread else FIRST
