"""Turns, one after the other: when the next is needed, and the wait after one that failed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection

from postsched.domain.errors import StoreMoved, StoreUnavailable
from postsched.engine.access import Access
from postsched.engine.claiming import Wish
from postsched.engine.clock import Clock
from postsched.engine.hands import Hands, Limits
from postsched.engine.intake import Turn
from postsched.engine.turns import Turns
from postsched.engine.watch import EVERY, Watch
from postsched.engine.zone_watch import ZoneWatch
from postsched.store.outlook import Look
from postsched.store.workers import Worker

log = logging.getLogger("postsched.engine")
T = TypeVar("T")
BACKOFF = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds to wait after a database error, the last again and again."""
PATIENCE = 0.005
"""Seconds that a result waits for others, while any are to come: nothing is done with it before it
is written, and so that many share a commit."""
WATCH_WORKERS = 1.0
"""Seconds between looks at whether another worker of this machine still lives, while one holds
claims."""

INSTANT = timedelta(microseconds=1)
"""The least by which one instant is past another."""
END = datetime.max.replace(tzinfo=UTC)


class Cycle:
    """Makes a turn whenever one is needed, never two at once. `start` begins a task, `absorb` is
    called with each turn and the monotonic time it was asked for, `ended` after the last one that
    was needed, or one that failed."""

    def __init__(
        self,
        turns: Turns,
        hands: Hands,
        access: Access,
        clock: Clock,
        limits: Limits,
        database: Path | None,
        start: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        absorb: Callable[[Turn, float], None],
        ended: Callable[[], None],
    ) -> None:
        self._turns = turns
        self._hands = hands
        self._access = access
        self._clock = clock
        self._limits = limits
        self._watch = Watch(database, clock, _look_every(database, limits.lease))
        self._zones = ZoneWatch(clock)
        self._on_server = database is None
        self._start = start
        self._absorb = absorb
        self._ended = ended
        self.task: asyncio.Task[None] | None = None
        """The turn that is being made, or was last."""
        self.look = Look([], [], {})
        """The queue as the last turn found it."""
        self.only_due = False
        """Whether what comes later is none of our business."""
        self.trouble: StoreUnavailable | None = None
        """Why the database can't be used just now."""
        self._watched: Sequence[Worker] = ()
        self._watch_at = 0.0
        self._wanted = True
        self._turning = False
        self._failures = 0
        self._not_before = 0.0
        self._write_by = 0.0

    @property
    def is_quiet(self) -> bool:
        """Whether no turn is being made, and none is needed to learn or to write something."""
        return not (self._turning or self._wanted or self._turns.changes_waiting)

    def want(self) -> None:
        """Have the queue looked at again."""
        self._wanted = True
        self.go_on()

    def submit(self, change: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Have a change written; its result comes once it is committed."""
        by = self._clock.monotonic()
        if getattr(change, "is_last", False):
            by += PATIENCE
        self._write_by = min(self._write_by, by) if self._turns.changes_waiting else by
        future = self._turns.submit(change)
        self.go_on()
        return future

    def go_on(self) -> None:
        """Begin a turn, without waiting, if one is needed and may be made. From time to time, see
        whether others have written."""
        if self._watch.is_due():
            self._wanted = self._watch.changed() or self._wanted
            if self._on_server:
                self._turns.keep_contact(self._clock)
            if self._zones.changed():
                self._start(self._follow_zones())
        monotonic = self._clock.monotonic()
        if not self._turning and monotonic >= self._not_before and self._is_needed(monotonic):
            self._turning = True
            self.task = self._start(self._make())

    def seconds_left(self, now: datetime) -> float:
        """Seconds to the next turn as far as is known, or to the next look around."""
        around = self._watch.seconds_left()
        if self._turning:
            return around
        monotonic = self._clock.monotonic()
        return min(around, max(self._not_before - monotonic, self._needed_in(now, monotonic)))

    def _needed_in(self, now: datetime, monotonic: float) -> float:
        if self._wanted:
            return 0.0
        waits = [(at - now).total_seconds() for at in self._instants(now)]
        if self._turns.changes_waiting:
            waits.append(self._write_by - monotonic if self._hands.are_busy else 0.0)
        waits.append(self._access.seconds_left(self._near(now)))
        if self._watched:
            waits.append(self._watch_at - monotonic)
        return min(waits, default=float("inf"))

    def _is_needed(self, monotonic: float) -> bool:
        return self._needed_in(self._clock.now(), monotonic) <= 0

    def _instants(self, now: datetime) -> list[datetime]:
        """When something can be claimed, prepared, or taken over, or is past its grace."""
        if self._hands.closed:
            return []
        room, to_prepare = self._hands.room, self._hands.room_to_prepare
        enough = self._hands.has_enough(now)
        instants = [
            lane.claimable_at(self._limits.claim_ahead)
            for lane in self.look.lanes
            if room.on(lane.platform) > 0
            and lane.platform not in enough
            and self._is_open(lane.account_id)
        ]
        instants += [
            one.at
            for one in self.look.unprepared
            if to_prepare.on(one.platform) > 0 and self._is_open(one.account_id)
        ]
        if self.look.grace_ends is not None:
            instants.append(self.look.grace_ends + INSTANT)
        return instants + list(self.look.foreign.values())

    def _is_open(self, account_id: int) -> bool:
        return self._access.is_open(account_id)

    def _near(self, now: datetime) -> set[int]:
        """The accounts for which it must be known whether anything can be sent."""
        if self._hands.closed:
            return set()
        until = self._meeting(now)
        return {lane.account_id for lane in self.look.lanes if lane.next_at <= until}

    def _meeting(self, now: datetime) -> datetime:
        return now + self._limits.claim_ahead if self.only_due else END

    async def _make(self) -> None:
        self._watch.remember()
        try:
            while True:
                self._wanted = False
                asked_at = self._clock.monotonic()
                self._watch_at = asked_at + WATCH_WORKERS
                turn = await self._turns.make(self._wish())
                self.look, self._watched = turn.look, turn.watched
                self._absorb(turn, asked_at)
                if not self._is_needed(self._clock.monotonic()):
                    break
            self._failures, self.trouble = 0, None
        except StoreUnavailable as error:
            self._note_trouble(error)
        except Exception as error:  # a bug in one turn must not end them all: it is made again
            log.exception("a turn failed")
            self._note_trouble(StoreUnavailable(f"the database failed: {error}"))
        finally:
            self._turning = False
            self._ended()

    async def _follow_zones(self) -> None:
        """The tz database has changed: what waits by its old rules is moved."""
        try:
            await self._turns.follow_zones(self._clock.now())
        except StoreUnavailable as error:
            log.error("%s; posts are moved to the new rules of their zones later", error.message)
            self._zones.look_again(EVERY)
        self.want()

    def _wish(self) -> Wish:
        now, hands = self._clock.now(), self._hands
        return Wish(
            now=now,
            upto=now + self._limits.claim_ahead,
            room=hands.room,
            preparing=hands.room_to_prepare,
            open=self._access.opened(),
            settled=self._access.settled(),
            meeting=self._meeting(now),
            mine=hands.mine(),
        )

    def _note_trouble(self, error: StoreUnavailable) -> None:
        is_news = self.trouble is None or self.trouble.message != error.message
        if is_news and not isinstance(error, StoreMoved):  # that is the end, and is said there
            log.error("%s; nothing more is claimed until it works again", error.message)
        self.trouble = error
        self._wanted = True
        wait = BACKOFF[min(self._failures, len(BACKOFF) - 1)]
        self._failures += 1
        self._not_before = self._clock.monotonic() + wait


def _look_every(database: Path | None, lease: timedelta) -> float:
    """Seconds between looks around."""
    if database is not None:
        return EVERY
    # A server tells nobody of the claims that others make: a look finds them. With several looks
    # in the time of a lease, each claim is known before it runs out, and can be taken over then.
    return min(EVERY, lease.total_seconds() / 3)
