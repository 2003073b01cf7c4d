"""Tells what is in the outbox, beside the sending of posts and never in its way: with a database
thread, clients and hands of its own.

At least once: what is claimed by a process that dies is told again when its claim has run out,
under the same uid. What is not taken is tried again, with growing waits, for a day.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Sequence
from datetime import datetime
from functools import partial
from random import Random

from postsched.domain.errors import StoreUnavailable
from postsched.domain.notice import GATHERED, Told, Way, next_try
from postsched.engine.clock import Clock
from postsched.engine.mailbag import Entry, Mailbag
from postsched.engine.receivers import Parcel, is_trouble
from postsched.engine.tellers import Tellers
from postsched.store.database import Database
from postsched.store.outbox import GATHERING

log = logging.getLogger("postsched.notify")
HANDS = {Way.WEBHOOK: 8, Way.CALLBACK: 8, Way.COMMAND: 2, Way.TARGETS: 2}
"""How many messages are under way at once."""
AROUND = 60.0
"""Seconds between looks for what another process has left behind."""
TROUBLED = 5.0
"""Seconds of rest after everything that was tried has failed, or the database."""
HOUSEKEEPING = 3600.0
"""Seconds between looks for logins that end, and for what is old."""
AT_THE_END = 5.0
"""Seconds for last messages when the process ends."""
TRIES = 5
"""How often it is tried to write down that something was told."""
NEVER = float("inf")


class Courier:
    """Tells what is to be told, in each way on its own; `mark` names this process. `start` and
    `stop` are for the daemon; `deliver` is all of it once, and `close` the end."""

    def __init__(
        self, database: Database, tellers: Tellers, clock: Clock, rng: Random, mark: str
    ) -> None:
        self._bag = Mailbag(database, mark)
        self._tellers = tellers
        self._clock = clock
        self._rng = rng
        self._wakes: list[asyncio.Event] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._trouble = ""

    def start(self) -> None:
        """Begin, in the running event loop."""
        loop = asyncio.get_running_loop()
        if outlet := self._bag.database.outlet:
            outlet.ring = partial(_call_soon, loop, self)
        self._tasks = [loop.create_task(self._keep_house())]
        self._tasks += [loop.create_task(self._serve(way)) for way in self._tellers.ways]

    def wake(self) -> None:
        """Something is to be told, or may be."""
        for event in self._wakes:
            event.set()

    async def stop(self, seconds: float = AT_THE_END) -> None:
        """Tell what there is, for so many seconds; the rest is left to the next process."""
        if outlet := self._bag.database.outlet:
            outlet.ring = lambda: None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._bag.give_back()
        await self.deliver(seconds)
        self.close()

    async def deliver(self, seconds: float) -> None:
        """Tell all that is due, also what is still being gathered, for so many seconds at the
        most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._guarded(self._look_after())
                await asyncio.gather(
                    *(self._guarded(self.go_through(way)) for way in self._tellers.ways)
                )
        await self._bag.give_back()

    async def give_back(self) -> None:
        """Let go of all that is not settled."""
        await self._bag.give_back()

    def close(self) -> None:
        """End its thread."""
        self._bag.close()

    async def go_through(
        self, way: Way, *, ahead: bool = True, only: Sequence[int] | None = None
    ) -> float:
        """Tell all that is due in one way, until nothing is left or nothing is taken; the seconds
        to the next time. `ahead`: also what is still being gathered. `only`: of those rows."""
        lease = self._tellers.longest(way)
        while True:
            now = self._clock.now()
            upto = now + GATHERING if ahead and way in GATHERED else now
            parcels = await self._bag.claim(way, now, upto, lease, HANDS[way], only)
            if not parcels:
                break
            told = await asyncio.gather(*map(self._tell, parcels))
            taken = any(one.problem is None for one in told)
            if not taken and (way is not Way.CALLBACK or all(one.here for one in told)):
                return TROUBLED  # of callbacks each address is left alone by itself
        at = await self._bag.next_at(way)
        return NEVER if at is None else max(0.0, (at - self._clock.now()).total_seconds())

    # ---- in the daemon

    async def _serve(self, way: Way) -> None:
        wake = asyncio.Event()
        self._wakes.append(wake)
        while True:
            wake.clear()
            wait = await self._guarded(self.go_through(way, ahead=False))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(wait, AROUND)):
                    await wake.wait()

    async def _keep_house(self) -> None:
        while True:
            await self._guarded(self._look_after())
            await asyncio.sleep(HOUSEKEEPING)

    async def _look_after(self) -> float:
        await self._bag.look_after(self._clock.now())
        return NEVER

    async def _guarded(self, work: Awaitable[float]) -> float:
        """Do something; TROUBLED if the database could not be used, which is said once."""
        try:
            seconds = await work
        except StoreUnavailable as error:
            if error.message != self._trouble:
                log.error("%s; nothing is told until it works again", error.message)
            self._trouble = error.message
            return TROUBLED
        except Exception:  # a bug here must not end the task that all later messages wait for
            log.exception("telling failed")
            return TROUBLED
        self._trouble = ""
        return seconds

    # ---- one message

    async def _tell(self, parcel: Parcel) -> Told:
        """Tell one message and write what came of it."""
        message = parcel.message
        try:
            told = await self._tellers.tell(parcel.way, message)
        except Exception as error:  # a library of the user's targets may raise anything
            log.exception("%s: telling %s failed", parcel.way, message.event)
            told = Told(f"it failed here ({type(error).__name__})")
        now = self._clock.now()
        entries = self._judged(parcel, told, now)
        await self._write(parcel, entries, now)
        await self._mind(parcel, told, now)
        _say(parcel, told, given_up=any(one.problem and not one.again for one in entries))
        return told

    async def _mind(self, parcel: Parcel, told: Told, now: datetime) -> None:
        """Leave the address of a callback alone while it is in trouble."""
        url = parcel.message.url
        if url is None:
            return
        if not is_trouble(told):
            self._bag.receivers.well(url)
        elif given_up := await self._bag.leave_alone(url, now, told.problem or ""):
            log.error("%d callbacks to one address were given up: %s", given_up, told.problem)

    def _judged(self, parcel: Parcel, told: Told, now: datetime) -> list[Entry]:
        """What becomes of the rows; those that were tried as often stay together."""
        if told.problem is None:
            return [Entry(parcel.ids, None, None, told.done, told.answer)]
        chance = self._rng.random()
        ids: dict[datetime | None, list[int]] = {}
        for row in parcel.rows:
            again = next_try(row.attempts, row.first_at, now, told, chance)
            ids.setdefault(again, []).append(row.id)
        return [
            Entry(these, again, told.problem, told.done, told.answer)
            for again, these in ids.items()
        ]

    async def _write(self, parcel: Parcel, entries: list[Entry], now: datetime) -> None:
        """Write it, if need be again and again: what is not written down is told once more."""
        for left in range(TRIES - 1, -1, -1):
            try:
                await self._bag.settle(parcel, entries, now)
                break
            except StoreUnavailable:
                if not left:
                    raise
                await asyncio.sleep(1.0)


def _say(parcel: Parcel, told: Told, *, given_up: bool) -> None:
    event, account = parcel.rows[0].message.event, parcel.rows[0].message.account
    if given_up:
        log.error("%s could not be told of %s, given up: %s", account, event, told.problem)
    elif told.problem is not None:
        log.warning("%s: %s will be told again: %s", account, event, told.problem)
    else:
        log.debug("%s: %s was told by %s", account, event, parcel.way)


def _call_soon(loop: asyncio.AbstractEventLoop, courier: Courier) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended: the next process tells it
        loop.call_soon_threadsafe(courier.wake)
