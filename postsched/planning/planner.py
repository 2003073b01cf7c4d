"""A delivery to come, from its post, its account and its occurrence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from postsched.domain.account import Account
from postsched.domain.errors import PostschedError
from postsched.domain.post import Content, Missed, Post
from postsched.planning.timing import Timing, Turn, turn_of
from postsched.store.plans import Planned

if TYPE_CHECKING:
    from postsched.config import Settings
    from postsched.domain.capabilities import Capabilities

SOON = timedelta(seconds=1)
"""What is due sooner is not prepared ahead: the claim does it at once."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """An occurrence (UTC), and what sets it apart within a series: its number, whether it leads,
    and its own wording, if it has one. The account's `turn` is to be given for a post that was read
    without the names of its accounts."""

    at: datetime
    number: int | None = None
    leads: bool = False
    wording: Mapping[str, Any] | None = None
    turn: Turn | None = None


def _ability(account: Account) -> Capabilities:
    from postsched import platforms  # what a command that plans nothing has no use for

    return platforms.capabilities(account.platform, account.facts)


@dataclass(frozen=True, slots=True)
class Planner:
    """Makes rows. What takes requests is prepared so long before it is due; `ability` says what an
    account can do."""

    prepare_ahead: timedelta
    timing: Timing = field(default_factory=Timing)
    ability: Callable[[Account], Capabilities] = _ability

    def row(self, post: Post, account: Account, occasion: Occasion, now: datetime) -> Planned:
        """The delivery of a post to an account at an occurrence, planned at `now` (UTC)."""
        turn = occasion.turn or turn_of(post, account)
        due = self.timing.due(post, account, occasion.at, turn)
        return Planned(
            post.id,
            account.id,
            occasion.at,
            grace_until(post, due),
            post.priority,
            post.paused,
            self.prepare_at(post.content, account, due, now),
            due,
            occasion.number,
            occasion.leads,
            occasion.wording,
        )

    def prepare_at(
        self, content: Content, account: Account, due: datetime, now: datetime
    ) -> datetime | None:
        """When to begin preparing, for what takes requests before it can be sent."""
        if due - now < SOON:
            return None
        try:
            can = self.ability(account)
        except PostschedError:  # a plug-in that is gone or fails must not keep a worker from others
            return None
        if (
            content.has_media(account.name)
            or can.prepares_text
            or (content.link and can.prepares_link)
        ):
            return max(now, due - self.prepare_ahead)
        return None


def planner_of(settings: Settings, zone: tzinfo) -> Planner:
    """The planner that the settings ask for; `zone` is what quiet hours are local in."""
    timing = Timing(zone, settings.quiet_hours, settings.min_spacing)
    return Planner(settings.prepare_ahead, timing)


def grace_until(post: Post, due: datetime) -> datetime | None:
    """Until when what is due then may still go out, None for ever."""
    if post.missed is Missed.LATE:
        return None
    try:
        return due + post.grace
    except OverflowError:
        return None
