"""Claims what is due, sends it with so many hands at once, and settles it.

`run` drives it through APScheduler, which asks `next_instant` and `take_due`; `publish-due` calls
`drain`. Neither the claims nor the results ever touch the database in the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.outcome import ErrorKind
from postsched.domain.retry import RetryPolicy
from postsched.engine.access import Access
from postsched.engine.clock import Clock
from postsched.engine.connecting import Connecting
from postsched.engine.cycle import Cycle
from postsched.engine.flight import Flight
from postsched.engine.hands import Hands, Held, Limits
from postsched.engine.intake import Turn
from postsched.engine.leases import Leases
from postsched.engine.preparation import Preparation
from postsched.engine.publisher import Publisher
from postsched.engine.settlement import Settlement
from postsched.engine.turns import Turns
from postsched.store.lanes import Lane
from postsched.store.queue import Work

log = logging.getLogger("postsched.engine")
LAST_WORDS = 5.0
"""Seconds to write down what was broken off at the end."""


class Dispatcher:
    """The engine's core. `on_change` is called in the event loop when `next_instant` may have
    changed; `on_event` with a word and a work at each beginning and end."""

    def __init__(
        self,
        turns: Turns,
        publisher: Publisher,
        clock: Clock,
        rng: Random,
        policy: RetryPolicy,
        limits: Limits,
        request_timeout: float,
        database: Path | None,
    ) -> None:
        self._turns = turns
        self._clock = clock
        self.on_change: Callable[[], None] = lambda: None
        self.on_event: Callable[[str, Work], None] = lambda word, work: None
        self.uploads = publisher.uploads
        self.hands = Hands(limits)
        self._connecting = Connecting(publisher, limits.concurrency)
        self.access = Access(publisher, clock, self._tried)
        self.cycle = Cycle(
            turns, self.hands, self.access, clock, limits, database, self._start, self._absorb,
            lambda: self.on_change(),
        )  # fmt: skip
        submit = self.cycle.submit
        self._leases = Leases(self.hands, submit, clock, limits.lease, request_timeout)
        settlement = Settlement(publisher, self.access, submit, clock, rng, policy)
        self._preparation = Preparation(publisher, self.access, settlement, clock)
        self._flight = Flight(publisher, self._preparation, settlement, self._leases, clock)
        self.failures = 0
        """How often the engine itself failed: what it held waits for its claim to run out."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stop_by = 0.0

    def kick(self) -> None:
        """Somebody changed something: look at the queue again."""
        self.access.try_soon()
        self.cycle.want()

    def take_due(self, now: datetime) -> list[Held]:
        """The held deliveries whose instant has come, or comes within LEAD, and for which a hand
        is free; each is handed out once. Begins a turn, without waiting, where one is needed."""
        self._go_on()
        return self.hands.hand_out(now)

    def _go_on(self) -> None:
        if due := self._leases.take_due():
            self._start(self._leases.renew(due))
        self.cycle.go_on()

    def next_instant(self, now: datetime) -> datetime:
        """When `take_due` is to be called next; never later than the next look around."""
        waits = [self._leases.seconds_left(), self.cycle.seconds_left(now)]
        if at := self.hands.next_instant():
            waits.append((at - now).total_seconds())
        return now + timedelta(seconds=max(0.0, min(waits)))

    async def fire(self, held: Held) -> None:
        """Send a delivery that `take_due` handed out, and settle it."""

        def free() -> None:
            # What follows is written; that this is the first such change is to be known, too.
            if self.hands.release(held) and not (self._hand_on() and self._turns.changes_waiting):
                self.on_change()

        held.done_sending = free
        before, is_out = held.work, False
        self._tell("sending", before)
        try:
            after = await self._flight.fly(held)
            is_out = after.status is DeliveryStatus.PUBLISHED
            if after.claim is None and after.problem and after.problem.kind is ErrorKind.AUTH:
                self._give_back(before.account.id.__eq__)
            self._tell_end(before, after)
        except Exception:  # a bug with one delivery must not stop the others
            self.failures += 1
            log.exception("delivery %d: the engine failed; its claim will run out", held.id)
        finally:
            free()
            self.hands.drop(held)
            if is_out:  # the turn that has written it has seen all that follows
                self.cycle.go_on()
            else:
                self.cycle.want()

    def _hand_on(self) -> bool:
        """Let the next that is due have the hand that has come free, without another round."""
        heir = self.hands.next_due(self._clock.now())
        return heir is not None and bool(self.let_fly(heir))

    def let_fly(self, held: Held) -> asyncio.Task[None]:
        """`fire` as a task of its own, which the stop waits for."""
        return self._start(self.fire(held))

    async def drain(self, patience: float = 20.0) -> None:
        """Send all that is due, and wait for the answers; not for what comes later.

        Raises StoreUnavailable if the database can't be used for `patience` seconds.
        """
        change = asyncio.Event()
        self.on_change = change.set
        self.cycle.only_due = True
        gives_up: float | None = None
        while True:
            change.clear()
            now = self._clock.now()
            for held in self.take_due(now):
                self.let_fly(held)
            if self._is_quiet() and not any(lane.next_at <= now for lane in self._lanes()):
                return
            if self.cycle.trouble is None:
                gives_up = None
            else:
                gives_up = gives_up or self._clock.monotonic() + patience
                if self._clock.monotonic() > gives_up:
                    raise self.cycle.trouble
            wait = (self.next_instant(now) - self._clock.now()).total_seconds()
            try:
                async with asyncio.timeout(max(0.001, min(wait, 1.0))):
                    await change.wait()
            except TimeoutError:
                continue

    @property
    def is_idle(self) -> bool:
        """Whether nothing is in flight and nothing waits that this worker could send."""
        return self._is_quiet() and not self._lanes() and not self.cycle.look.foreign

    def _lanes(self) -> list[Lane]:
        """The lanes that this worker can send from, as far as is known."""
        shut = self.access.shut
        return [lane for lane in self.cycle.look.lanes if lane.account_id not in shut]

    def _is_quiet(self) -> bool:
        return not (self._tasks or self.hands.everything()) and self.cycle.is_quiet

    async def stop(self, seconds: float) -> None:
        """Claim no more, give back what was not begun, wait for what is in flight; what is not
        done in that time is broken off and counts as lost."""
        self.hands.closed = True
        self.access.stop()
        self._connecting.stop()
        self._stop_by = self._clock.monotonic() + seconds
        for held in self.hands.flying.values():
            held.stopping = True
        self._give_up()
        if not await self._settled():
            for task in self._tasks - {self.cycle.task}:
                task.cancel()
            self._stop_by = self._clock.monotonic() + LAST_WORDS
            await self._settled()

    def hurry(self) -> None:
        """Wait no longer for what is in flight."""
        self._stop_by = min(self._stop_by, self._clock.monotonic())

    def _give_up(self) -> None:
        self._give_back(lambda account_id: True)

    async def _let_go(self, held: Held) -> None:
        """Give a delivery back that is not in flight; what is being prepared is broken off."""
        if held.preparing and not held.preparing.done():
            held.preparing.cancel()
            await asyncio.wait([held.preparing])
        await self._flight.let_go(held)

    async def _settled(self) -> bool:
        """Wait until nothing is under way, for the time that is left; whether it came to that."""
        while self._tasks or self.hands.flying or self._turns.changes_waiting:
            self._go_on()
            left = self._stop_by - self._clock.monotonic()
            if left <= 0:
                return False
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=min(left, 0.05))
            else:
                await asyncio.sleep(0.01)
        return True

    def _absorb(self, turn: Turn, asked_at: float) -> None:
        now = self._clock.now()
        if not self.hands.closed:
            self.access.try_out(turn.strangers)
        for work in turn.taken:
            self.hands.held[work.delivery.id] = held = Held(work, asked_at)
            if self._preparation.can_wait(held):
                held.ready = True
            else:
                held.preparing = self._start(self._prepare(held))
        for work in turn.to_prepare:
            self.hands.preparing[work.delivery.id] = held = Held(work, asked_at)
            held.preparing = self._start(self._prepare_ahead(held))
        if turn.taken or turn.to_prepare:
            self._leases.begin(asked_at)
            self._connecting.begin(self.hands.held.values(), now)
        for work in turn.late:
            self._tell("missed", work)
        self._give_back(lambda account_id: turn.look.is_held(account_id, now))
        for before, after in turn.expired:
            log.warning("delivery %d: %s, now %s", before.id, "its worker ended", after.status)
        for work in turn.given_up:
            self._tell("unconfirmed", work)
        if self.hands.closed:  # what this turn was still to claim when the end was asked for
            self._give_up()

    def _give_back(self, is_held: Callable[[int], bool]) -> None:
        """What was claimed for accounts (ids) that are left alone since: it waits in the queue."""
        for held in self.hands.waiting():
            if is_held(held.work.account.id):
                self.hands.drop(held)
                self._start(self._let_go(held))

    async def _prepare(self, held: Held) -> None:
        try:
            ended = await self._preparation.finish(held)
        except BaseException:  # also where it is cancelled: what is not prepared is held no more
            self.hands.drop(held)
            raise
        if ended is not None:
            self.hands.drop(held)
            self._tell_end(held.work, ended)
        self.on_change()

    async def _prepare_ahead(self, held: Held) -> None:
        try:
            await self._preparation.ahead(held)
        finally:
            self.hands.drop(held)
            self.cycle.want()

    def _tried(self) -> None:
        """It is known of an account whether anything can be sent for it."""
        self.cycle.go_on()
        self.on_change()

    def _start(self, coroutine: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failures += 1
            log.error("a task of the engine failed", exc_info=error)
        self.on_change()

    def _tell_end(self, before: Work, after: Delivery) -> None:
        self._tell(after.status.value, Work(after, before.post, before.account))

    def _tell(self, word: str, work: Work) -> None:
        """Tell whoever watches. That it fails is no reason to send anything twice or not at all."""
        try:
            self.on_event(word, work)
        except Exception:  # whatever a display or a callback raises
            log.exception("delivery %d: %s could not be told", work.delivery.id, word)
