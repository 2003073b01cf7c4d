"""Claims what is due, sends it with so many hands at once, and settles it.

`run` drives it through APScheduler, which asks `next_instant` and `take_due`; `publish-due` calls
`drain`. Neither the claims nor the results ever touch the database in the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from sqlalchemy import Connection

from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.errors import StoreUnavailable
from postsched.domain.retry import RetryPolicy
from postsched.engine.clock import Clock
from postsched.engine.flight import Flight, Held
from postsched.engine.publisher import Publisher
from postsched.engine.turns import Turn, Turns, Wish
from postsched.engine.watch import Watch
from postsched.store import queue
from postsched.store.outlook import Look
from postsched.store.queue import Work
from postsched.store.workers import Worker

log = logging.getLogger("postsched.engine")
T = TypeVar("T")
BACKOFF = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds to wait after a database error, the last again and again."""
LEAD = timedelta(milliseconds=3)
"""How long before its instant a delivery is handed out: what comes before the request is done by
then, and the last of the wait is more exact than a timer. Nothing is sent early."""
WATCH_WORKERS = 1.0
"""Seconds between looks at whether another worker of this machine still lives, while one holds
claims."""
LAST_WORDS = 5.0
"""Seconds to write down what was broken off at the end."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much at once, and the times: `concurrency` a platform, `total` in all."""

    concurrency: int = 10
    total: int = 50
    claim_ahead: timedelta = timedelta(milliseconds=250)
    lease: timedelta = timedelta(minutes=2)

    @property
    def spare(self) -> int:
        """How many more are claimed than there are hands, so that no hand waits for a commit."""
        return max(2, self.concurrency // 2)


class Dispatcher:
    """The engine's core. `on_change` is called in the event loop when `next_instant` may have
    changed; `on_event` with a word and a work at each beginning and end."""

    def __init__(
        self,
        turns: Turns,
        publisher: Publisher,
        worker: Worker,
        clock: Clock,
        rng: Random,
        policy: RetryPolicy,
        limits: Limits,
        request_timeout: float,
        database: Path | None,
    ) -> None:
        self._turns = turns
        self._worker = worker
        self._clock = clock
        self._limits = limits
        self._flight = Flight(
            publisher, self._submit, clock, rng, policy, limits.lease, request_timeout, self._renew
        )
        self.watch = Watch(database, clock)
        self.on_change: Callable[[], None] = lambda: None
        self.on_event: Callable[[str, Work], None] = lambda word, work: None
        self.held: dict[int, Held] = {}
        self.flying: dict[int, Held] = {}
        self._preparing: dict[int, Held] = {}
        self._busy: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._turn: asyncio.Task[Any] | None = None
        self._look = Look([], None, {})
        self._watched: Sequence[Worker] = ()
        self._dirty = True
        self._turning = False
        self._stopping = False
        self._stop_by = 0.0
        self._failures = 0
        self._not_before = 0.0
        self._renew_at: float | None = None
        self._watch_at = 0.0
        self.trouble: StoreUnavailable | None = None
        """Why the database can't be used just now."""

    # ---- what drives it

    def kick(self) -> None:
        """Something changed: look at the queue again."""
        self._dirty = True
        self._maybe_turn()

    def take_due(self, now: datetime) -> list[Held]:
        """The held deliveries whose instant has come, or comes within LEAD, and for which a hand
        is free; each is handed out once. Begins a turn, without waiting, where one is needed."""
        if self.watch.is_due() and self.watch.changed():
            self._dirty = True
        self._maybe_turn()
        ready = [held for held in self.held.values() if held.ready and held.at <= now + LEAD]
        # In the order of the claims, which are shared out between the accounts.
        ready.sort(key=lambda held: -held.work.post.priority)
        taken = []
        for held in ready:
            if self._busy.total() >= self._limits.total:
                break
            if self._busy[held.platform] < self._limits.concurrency:
                self._busy[held.platform] += 1
                self.flying[held.id] = self.held.pop(held.id)
                taken.append(held)
        return taken

    def next_instant(self, now: datetime) -> datetime:
        """When `take_due` is to be called next; never later than the watch's next look."""
        waits = [self.watch.seconds_left()]
        monotonic = self._clock.monotonic()
        if self._renew_at is not None:
            waits.append(self._renew_at - monotonic)
        if not self._turning:
            waits.append(max(self._not_before - monotonic, self._next_turn_in(now, monotonic)))
        waits += [
            (held.at - now - LEAD).total_seconds()
            for held in self.held.values()
            if held.ready and self._hand_free(held.platform)
        ]
        return now + timedelta(seconds=max(0.0, min(waits)))

    def _next_turn_in(self, now: datetime, monotonic: float) -> float:
        """Seconds to the next turn, as far as is known."""
        if self._dirty or self._turns.changes_waiting:
            return 0.0
        waits = [(at - now).total_seconds() for at in self._turn_instants(now)]
        if self._watched:
            waits.append(self._watch_at - monotonic)
        return min(waits, default=float("inf"))

    async def fire(self, held: Held) -> None:
        """Send a delivery that `take_due` handed out, and settle it."""
        platform, freed = held.platform, False

        def free() -> None:
            nonlocal freed
            if not freed:
                freed = True
                self._busy[platform] -= 1
                self.on_change()

        held.done_sending = free
        before = held.work
        self._tell("sending", before)
        try:
            after = await self._flight.fly(held)
            self._tell_end(before, after)
        except Exception:
            log.exception("delivery %d: the engine failed; its claim will run out", held.id)
        finally:
            free()
            _drop(self.flying, held)
            self.kick()

    def let_fly(self, held: Held) -> asyncio.Task[None]:
        """`fire` as a task of its own, which the stop waits for."""
        return self._start(self.fire(held))

    async def drain(self, patience: float = 20.0) -> None:
        """Send all that is due, and wait for the answers; not for what comes later.

        Raises StoreUnavailable if the database can't be used for `patience` seconds.
        """
        change = asyncio.Event()
        self.on_change = change.set
        gives_up: float | None = None
        while True:
            change.clear()
            now = self._clock.now()
            for held in self.take_due(now):
                self.let_fly(held)
            if self._is_drained(now):
                return
            if self.trouble is None:
                gives_up = None
            else:
                gives_up = gives_up or self._clock.monotonic() + patience
                if self._clock.monotonic() > gives_up:
                    raise self.trouble
            wait = (self.next_instant(now) - self._clock.now()).total_seconds()
            try:
                async with asyncio.timeout(max(0.001, min(wait, 1.0))):
                    await change.wait()
            except TimeoutError:
                continue

    @property
    def is_idle(self) -> bool:
        """Whether nothing is in flight and nothing waits that could go out by itself."""
        return self._is_quiet() and not self._look.lanes and not self._look.foreign

    # ---- stopping

    async def stop(self, seconds: float) -> None:
        """Claim no more, give back what was not begun, wait for what is in flight; what is not
        done in that time is broken off and counts as lost."""
        self._stopping = True
        self._stop_by = self._clock.monotonic() + seconds
        for held in self.flying.values():
            held.stopping = True
        self._give_up([*self.held.values(), *self._preparing.values()])
        if not await self._settled():
            for task in self._tasks - {self._turn}:
                task.cancel()
            self._stop_by = self._clock.monotonic() + LAST_WORDS
            await self._settled()

    def hurry(self) -> None:
        """Wait no longer for what is in flight."""
        self._stop_by = min(self._stop_by, self._clock.monotonic())

    def _give_up(self, waiting: Sequence[Held]) -> None:
        for held in waiting:
            _drop(self.held, held)
            self._start(self._let_go(held))

    async def _let_go(self, held: Held) -> None:
        """Give a delivery back that is not in flight; what is being prepared is broken off."""
        if held.preparing and not held.preparing.done():
            held.preparing.cancel()
            await asyncio.wait([held.preparing])
        await self._flight.let_go(held)

    async def _settled(self) -> bool:
        """Wait until nothing is under way, for the time that is left; whether it came to that."""
        while self._tasks or self.flying or self._turns.changes_waiting:
            self._maybe_turn()
            left = self._stop_by - self._clock.monotonic()
            if left <= 0:
                return False
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=min(left, 0.05))
            else:
                await asyncio.sleep(0.01)
        return True

    # ---- turns

    def _submit(self, change: Callable[[Connection], T]) -> asyncio.Future[T]:
        future = self._turns.submit(change)
        self._maybe_turn()
        return future

    def _maybe_turn(self) -> None:
        monotonic = self._clock.monotonic()
        if self._renew_at is not None and monotonic >= self._renew_at:
            self._renew_at = None
            if everything := self._everything():
                self._start(self._renew(everything))
        if self._turning or monotonic < self._not_before:
            return
        if self._turn_is_needed(monotonic):
            self._turning = True
            self._turn = self._start(self._make_turn())

    def _turn_is_needed(self, monotonic: float) -> bool:
        if self._turns.changes_waiting or self._dirty:
            return True
        if self._watched and monotonic >= self._watch_at:
            self._watch_at = monotonic + WATCH_WORKERS
            return True
        now = self._clock.now()
        return any(at <= now for at in self._turn_instants(now))

    def _turn_instants(self, now: datetime) -> list[datetime]:
        if self._stopping:
            return []
        hands = self._hands()
        instants = [
            lane.next_at - self._limits.claim_ahead
            for lane in self._look.lanes
            if hands.get(lane.platform, 1) > 0 and self._total_left() > 0
        ]
        if self._look.prepare_at and self._preparing_left() > 0:
            instants.append(self._look.prepare_at)
        return instants + list(self._look.foreign.values())

    async def _make_turn(self) -> None:
        self.watch.remember()
        try:
            while True:
                self._dirty = False
                now = self._clock.now()
                asked_at = self._clock.monotonic()
                turn = await self._turns.make(self._wish(now))
                self._absorb(turn, asked_at)
                if not self._turn_is_needed(self._clock.monotonic()):
                    break
            self._failures, self.trouble = 0, None
        except StoreUnavailable as error:
            self._note_trouble(error)
        except Exception as error:
            log.exception("a turn failed")
            self._note_trouble(StoreUnavailable(f"the database failed: {error}"))
        finally:
            self._turning = False
            self.on_change()

    def _note_trouble(self, error: StoreUnavailable) -> None:
        if self.trouble is None or self.trouble.message != error.message:
            log.error("%s; nothing more is claimed until it works again", error.message)
        self.trouble = error
        self._dirty = True
        wait = BACKOFF[min(self._failures, len(BACKOFF) - 1)]
        self._failures += 1
        self._not_before = self._clock.monotonic() + wait

    def _wish(self, now: datetime) -> Wish:
        if self._stopping:
            return Wish(now, now, {}, 0, 0, 0, self._mine())
        return Wish(
            now=now,
            upto=now + self._limits.claim_ahead,
            hands=self._hands(),
            default=self._limits.concurrency + self._limits.spare,
            total=self._total_left(),
            preparing=self._preparing_left(),
            mine=self._mine(),
        )

    def _mine(self) -> frozenset[tuple[int, str]]:
        return frozenset((held.id, held.token) for held in self._everything())

    def _everything(self) -> list[Held]:
        return [*self.held.values(), *self.flying.values(), *self._preparing.values()]

    def _absorb(self, turn: Turn, asked_at: float) -> None:
        self._look, self._watched = turn.look, turn.watched
        for work in turn.taken:
            held = Held(work, asked_at)
            self.held[held.id] = held
            if work.delivery.status is DeliveryStatus.CONFIRMING:
                held.ready = True
            else:
                held.preparing = self._start(self._prepare(held))
        for work in turn.to_prepare:
            held = Held(work, asked_at)
            self._preparing[held.id] = held
            held.preparing = self._start(self._prepare_ahead(held))
        if (turn.taken or turn.to_prepare) and self._renew_at is None:
            self._renew_at = asked_at + self._limits.lease.total_seconds() / 3
        for work in turn.late:
            self._tell("missed", work)
        for before, after in turn.expired:
            log.warning("delivery %d: %s, now %s", before.id, "its worker ended", after.status)
        if self._stopping:  # what this turn was still to claim when the end was asked for
            self._give_up([*self.held.values(), *self._preparing.values()])

    async def _prepare(self, held: Held) -> None:
        try:
            ended = await self._flight.prepare(held)
        except BaseException:
            _drop(self.held, held)
            raise
        if ended is not None:
            _drop(self.held, held)
            self._tell_end(held.work, ended)
        self.on_change()

    async def _prepare_ahead(self, held: Held) -> None:
        try:
            await self._flight.prepare_ahead(held)
        finally:
            _drop(self._preparing, held)
            self.kick()

    async def _renew(self, everything: Sequence[Held]) -> None:
        now, monotonic = self._clock.now(), self._clock.monotonic()
        until = now + self._limits.lease
        held_by = {(held.id, held.token): held for held in everything}
        try:
            kept = await self._submit(lambda connection: queue.renew(connection, held_by, until))
            for one in kept & held_by.keys():
                held_by[one].until, held_by[one].lease_from = until, monotonic
        finally:
            if self._everything():
                self._renew_at = monotonic + self._limits.lease.total_seconds() / 3

    # ---- hands

    def _hands(self) -> dict[str, int]:
        """How many more may be claimed, by platform, where any are held."""
        full = self._limits.concurrency + self._limits.spare
        used = Counter(held.platform for held in self.held.values()) + self._busy
        return {platform: max(0, full - count) for platform, count in used.items()}

    def _total_left(self) -> int:
        return max(0, self._limits.total + self._limits.spare - len(self.held) - self._busy.total())

    def _preparing_left(self) -> int:
        return 0 if self._stopping else max(0, self._limits.concurrency - len(self._preparing))

    def _hand_free(self, platform: str) -> bool:
        busy = self._busy
        return busy[platform] < self._limits.concurrency and busy.total() < self._limits.total

    def _is_quiet(self) -> bool:
        waiting = self.held or self.flying or self._preparing or self._tasks
        return not (waiting or self._turning or self._dirty or self._turns.changes_waiting)

    def _is_drained(self, now: datetime) -> bool:
        due = any(lane.next_at <= now for lane in self._look.lanes)
        return self._is_quiet() and not due

    # ---- the rest

    def _start(self, coroutine: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task of the engine failed", exc_info=error)
        self.on_change()

    def _tell_end(self, before: Work, after: Delivery) -> None:
        self._tell(after.status.value, replace(before, delivery=after))

    def _tell(self, word: str, work: Work) -> None:
        """Tell whoever watches. That it fails is no reason to send anything twice or not at all."""
        try:
            self.on_event(word, work)
        except Exception:
            log.exception("delivery %d: %s could not be told", work.delivery.id, word)


def _drop(held_by_id: dict[int, Held], held: Held) -> None:
    """Forget this one; a later claim of the same delivery stays."""
    if held_by_id.get(held.id) is held:
        del held_by_id[held.id]
