"""How much a network takes of one account in a length of time, and who is the first too many.

Pure: deliveries are shown to it in the order of their instants.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postsched.domain.post import Part
    from postsched.domain.setting import Rate


class Counts(StrEnum):
    """What a network counts, in the words of messages."""

    POSTS = "posts"
    """What stands by itself: the first part of a thread, but none of the others."""
    REPLIES = "replies"
    """Further parts, and a first comment."""
    MESSAGES = "messages"
    """Every part, and a first comment."""
    ITEMS = "messages and files"
    """Every part, or each of its files where it has several (Telegram's albums)."""
    FILES = "files"
    REQUESTS = "requests"
    """Every call: one a part and comment, and two a file, which is announced and uploaded."""


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `count` of what it counts in any `per`."""

    count: int
    per: timedelta
    what: Counts = Counts.POSTS

    @property
    def name(self) -> str:
        """As people read it: "posts in 1 day"."""
        from postsched.domain.duration import distance  # not for `add`: start-up time

        return f"{self.what} in {distance(self.per).removeprefix('in ')}"


def with_rate(quotas: tuple[Quota, ...], rate: Rate | None) -> tuple[Quota, ...]:
    """The quotas with the setting `rate` in the place of the first."""
    if rate is None:
        return quotas
    what = quotas[0].what if quotas else Counts.POSTS
    return (Quota(rate.count, rate.per, what), *quotas[1:])


def cost(what: Counts, parts: Sequence[Part], *, comment: bool) -> int:
    """What a post takes of a quota that counts `what`."""
    if what is Counts.POSTS:
        return 1
    messages = len(parts) + comment
    if what in (Counts.REPLIES, Counts.MESSAGES):
        return messages - (what is Counts.REPLIES)
    if what is Counts.ITEMS:
        return comment + sum(max(1, len(part.media)) for part in parts)
    files = sum([len(part.media) for part in parts])
    return files if what is Counts.FILES else messages + 2 * files


class Window:
    """What one account sends in the time of a quota that slides along. It remembers no more than
    the quota has room for."""

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self._sent: deque[tuple[datetime, int]] = deque()
        self._total = 0

    def fits(self, at: datetime, amount: int) -> bool:
        """Whether so much fits at that instant, which is none before the last one; then it is
        taken in. What does not fit goes out at another time, and takes no room."""
        self._forget(at)
        if amount and self._total + amount > self.quota.count:
            return False
        self.take(at, amount)
        return True

    def take(self, at: datetime, amount: int) -> None:
        """Take in what is out already, whether or not it fits."""
        self._forget(at)
        if amount:
            self._sent.append((at, amount))
            self._total += amount

    def room_for(self, amount: int) -> datetime | None:
        """When there is room for so much, after `fits` has said no; None if there never is."""
        if amount > self.quota.count:
            return None
        left = self._total
        for at, taken in self._sent:
            left -= taken
            if left + amount <= self.quota.count:
                return _after(at, self.quota.per)
        return None

    def _forget(self, now: datetime) -> None:
        while self._sent and self._sent[0][0] <= now - self.quota.per:
            self._total -= self._sent.popleft()[1]


def _after(at: datetime, span: timedelta) -> datetime | None:
    """The instant so much later, None where there is no such day."""
    try:
        return at + span
    except OverflowError:
        return None
