"""A delivery to come, from its post, its account and its occurrence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from postsched import platforms
from postsched.domain.account import Account
from postsched.domain.post import Content, Missed, Post
from postsched.store.plans import Planned

SOON = timedelta(seconds=1)
"""What is due sooner is not prepared ahead: the claim does it at once."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """An occurrence (UTC), and what sets it apart within a series: its number, whether it leads,
    and its own wording, if it has one."""

    at: datetime
    number: int | None = None
    leads: bool = False
    wording: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Planner:
    """Makes rows. What takes requests is prepared so long before it is due."""

    prepare_ahead: timedelta

    def row(self, post: Post, account: Account, occasion: Occasion, now: datetime) -> Planned:
        """The delivery of a post to an account at an occurrence, planned at `now` (UTC)."""
        due = occasion.at
        return Planned(
            post.id,
            account.id,
            occasion.at,
            grace_until(post, due),
            post.priority,
            post.paused,
            self._prepare_at(post.content, account, due, now),
            due,
            occasion.number,
            occasion.leads,
            occasion.wording,
        )

    def _prepare_at(
        self, content: Content, account: Account, due: datetime, now: datetime
    ) -> datetime | None:
        """When to begin preparing, for what takes requests before it can be sent."""
        if due - now < SOON:
            return None
        can = platforms.capabilities(account.platform, account.facts)
        has_media = any(part.media for part in content.parts(account.name))
        if has_media or can.prepares_text or (content.link and can.prepares_link):
            return max(now, due - self.prepare_ahead)
        return None


def grace_until(post: Post, due: datetime) -> datetime | None:
    """Until when what is due then may still go out, None for ever."""
    if post.missed is Missed.LATE:
        return None
    try:
        return due + post.grace
    except OverflowError:
        return None
