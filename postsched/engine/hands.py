"""What this worker has in its hands, and how much more it may take."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from postsched.domain.delivery import Delivery
from postsched.store.queue import Work

LEAD = timedelta(milliseconds=3)
"""How long before its instant a delivery is handed out: what comes before the request is done by
then, and the last of the wait is more exact than a timer. Nothing is sent early."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many more there is room for: by platform where that is in `left`, else `each`, but never
    more than `total`."""

    left: Mapping[str, int]
    each: int
    total: int = sys.maxsize

    def on(self, platform: str) -> int:
        """For one platform."""
        return max(0, min(self.left.get(platform, self.each), self.total))


NO_ROOM = Room({}, 0)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much at once, and the times: `concurrency` a platform, `total` in all."""

    concurrency: int = 10
    total: int = 50
    claim_ahead: timedelta = timedelta(milliseconds=250)
    lease: timedelta = timedelta(minutes=2)

    @property
    def spare(self) -> int:
        """How many more are claimed than there are hands, so that no hand waits for a commit, and
        few hands share one, too."""
        return max(2, min(self.concurrency, 10), self.concurrency // 2)


class Held:
    """A delivery this worker holds. `lease_from` is when, by the monotonic clock, the claim was
    last made or renewed."""

    def __init__(self, work: Work, lease_from: float) -> None:
        assert work.delivery.claim is not None
        self.work = work
        self.id = work.delivery.id
        """The delivery's id."""
        self.platform = work.account.platform
        """The platform's name."""
        self.priority = work.post.priority
        self.token = work.delivery.claim.token
        self.until = work.delivery.claim.until
        self.lease_from = lease_from
        self.ready = False
        self.busy = False
        """Whether it keeps a hand from others: from its instant to the end of its last request."""
        self.stopping = False
        self.preparing: asyncio.Task[None] | None = None
        self.done_sending: Callable[[], None] = lambda: None
        """Called when the last request is over, before its result is durable."""

    @property
    def at(self) -> datetime:
        """When to take it up, UTC."""
        return self.work.delivery.next_at or self.work.delivery.due_at

    def change(self, delivery: Delivery) -> None:
        """Go on with the changed delivery."""
        self.work = Work(delivery, self.work.post, self.work.account)

    def note_prepared(self, index: int, prepared: Mapping[str, Any], at: datetime) -> None:
        """Go on with that step prepared."""
        delivery = self.work.delivery
        steps = list(delivery.steps)
        steps[index] = replace(steps[index], prepared=prepared, prepared_at=at)
        self.change(replace(delivery, steps=tuple(steps)))


class Hands:
    """The deliveries that are held, by id: those that wait for their instant (`held`), those that
    are being sent (`flying`), and those that are prepared ahead (`preparing`). Once `closed`, there
    is room for no more."""

    def __init__(self, limits: Limits) -> None:
        self.held: dict[int, Held] = {}
        self.flying: dict[int, Held] = {}
        self.preparing: dict[int, Held] = {}
        self.closed = False
        self._limits = limits
        self._busy: Counter[str] = Counter()

    def everything(self) -> list[Held]:
        """All of them."""
        return [*self.held.values(), *self.flying.values(), *self.preparing.values()]

    @property
    def are_busy(self) -> bool:
        """Whether anything is being sent."""
        return self._busy.total() > 0 and not self.closed

    def waiting(self) -> list[Held]:
        """Those of which nothing is being sent."""
        return [*self.held.values(), *self.preparing.values()]

    def mine(self) -> frozenset[tuple[int, str]]:
        """All of them, as delivery and token."""
        return frozenset((held.id, held.token) for held in self.everything())

    def drop(self, held: Held) -> None:
        """Forget this one; a later claim of the same delivery stays."""
        for group in (self.held, self.flying, self.preparing):
            if group.get(held.id) is held:
                del group[held.id]

    def hand_out(self, now: datetime) -> list[Held]:
        """Those whose instant has come, or comes within LEAD, and for which a hand is free; each
        once. They fly now."""
        ready = [held for held in self.held.values() if held.ready and held.at <= now + LEAD]
        # In the order of the claims, which are shared out between the accounts.
        ready.sort(key=lambda held: -held.priority)
        taken = []
        for held in ready:
            if self._busy.total() >= self._limits.total:
                break
            if self._busy[held.platform] < self._limits.concurrency:
                self._launch(held)
                taken.append(held)
        return taken

    def next_due(self, now: datetime) -> Held | None:
        """The first that `hand_out` would give, if any; it flies now."""
        first: Held | None = None
        for held in self.held.values():
            if not held.ready or (first is not None and held.priority <= first.priority):
                continue
            if held.at <= now + LEAD and self._is_free(held):
                first = held
        if first is not None:
            self._launch(first)
        return first

    def _launch(self, held: Held) -> None:
        self._busy[held.platform] += 1
        held.busy = True
        self.flying[held.id] = self.held.pop(held.id)

    def next_instant(self) -> datetime | None:
        """When the next is to be handed out, as far as hands are free."""
        free = [held.at for held in self.held.values() if held.ready and self._is_free(held)]
        return min(free) - LEAD if free else None

    def release(self, held: Held) -> bool:
        """Its last request is over: another may have its hand. Whether that is news."""
        was_busy, held.busy = held.busy, False
        if was_busy:
            self._busy[held.platform] -= 1
        return was_busy

    # ---- how many more may be claimed

    @property
    def room(self) -> Room:
        """For how many more to be sent."""
        if self.closed:
            return NO_ROOM
        used = Counter(held.platform for held in self.held.values()) + self._busy
        total = self._limits.total + self._limits.spare - used.total()
        return _room(self._limits.concurrency + self._limits.spare, used, total)

    def has_enough(self, now: datetime) -> Counter[str]:
        """How many wait for a hand and nothing else, by platform, of those platforms of which half
        of the spare is left: no more need be claimed at once."""
        waiting = Counter(held.platform for held in self.held.values() if held.at <= now)
        half = self._limits.spare // 2
        return Counter({name: count for name, count in waiting.items() if count > half})

    @property
    def room_to_prepare(self) -> Room:
        """For how many more to be prepared ahead: each platform has its own, so that one that
        hangs keeps no other from beginning, however many do."""
        if self.closed:
            return NO_ROOM
        used = Counter(held.platform for held in self.preparing.values())
        return _room(self._limits.concurrency, used)

    def _is_free(self, held: Held) -> bool:
        busy = self._busy
        return busy[held.platform] < self._limits.concurrency and busy.total() < self._limits.total


def _room(each: int, used: Counter[str], total: int = sys.maxsize) -> Room:
    left = {platform: each - count for platform, count in used.items()}
    return Room(left, each, total)
