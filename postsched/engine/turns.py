"""The database thread: one transaction a turn, for all that happened since the last one.

A turn writes the results that have come in and claims what is due. With nothing to write and
nothing due it is one read. When the database can't be used, nothing is claimed, what is to be
written is kept, and the turn is made again, soon. That is so, too, when it is another one by now.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection

from postsched.domain import zone_files
from postsched.domain.account import Account
from postsched.domain.capabilities import Guarantee
from postsched.domain.delivery import EPOCH, Claim, Delivery, DeliveryStatus
from postsched.domain.errors import StoreRefused, StoreUnavailable
from postsched.engine import changes as changing
from postsched.engine import pacing
from postsched.engine.changes import Change
from postsched.engine.claiming import (
    SWEEP,
    Wish,
    accounts_to_claim,
    claim_due,
    claim_to_prepare,
)
from postsched.engine.clock import Clock
from postsched.engine.growth import Growth
from postsched.engine.hands import NO_ROOM
from postsched.engine.quotas import Quotas
from postsched.engine.worker import clear_bells, is_alive
from postsched.planning import taking, zone_rules
from postsched.planning.planner import Planner
from postsched.store import accounts as account_rows
from postsched.store import graces, outlook, queue, workers
from postsched.store.database import Database, no_room
from postsched.store.outlook import Look
from postsched.store.queue import Work
from postsched.store.workers import Worker

log = logging.getLogger("postsched.engine")
T = TypeVar("T")
HANGS = 10.0
"""Seconds after which a turn, which takes milliseconds, is broken off where that can be done."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn found: works that are held now, those held to be prepared, those that are past
    their grace, claims that ended (before and after), and what is next."""

    look: Look
    taken: list[Work] = field(default_factory=list)
    to_prepare: list[Work] = field(default_factory=list)
    late: list[Work] = field(default_factory=list)
    expired: list[tuple[Delivery, Delivery]] = field(default_factory=list)
    given_up: list[Work] = field(default_factory=list)
    """Those of them that a person has to settle now."""
    watched: tuple[Worker, ...] = ()
    """Other workers on this machine that hold claims: their death is noticed at once."""
    strangers: Sequence[Account] = ()
    """Accounts with lanes of which it is not known whether anything can be sent for them."""


class Turns:
    """Makes turns, one after the other, in a thread of its own."""

    def __init__(
        self,
        database: Database,
        worker: Worker,
        bells: Path,
        claim_timeout: timedelta,
        guarantee_of: Callable[[Account], Guarantee],
        growth: Growth,
        planner: Planner,
        quotas: Quotas | None = None,
    ) -> None:
        self._database = database
        self._growth = growth
        self._worker = worker
        self._bells = bells
        self._claim_timeout = claim_timeout
        self._guarantee_of = guarantee_of
        self._planner = planner
        self._quotas = quotas
        self._thread = ThreadPoolExecutor(1, "postsched-database")
        self._tokens = (f"{worker.mark}.{n}" for n in itertools.count(1))
        self._changes: list[tuple[Change, asyncio.Future[Any]]] = []
        self._astray: set[str] = set()
        """Under these tokens something may be claimed of which this worker does not know, since it
        is not known what became of the turn."""

    @property
    def changes_waiting(self) -> bool:
        """Whether anything is still to be written."""
        return bool(self._changes)

    def submit(self, change: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Have a change written in the next turn; its result comes once it is committed."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._changes.append((change, future))
        return future

    async def make(self, wish: Wish) -> Turn:
        """Make one turn. Raises StoreUnavailable; what was to be written is kept for the next."""
        changes, self._changes = self._changes, []
        loop = asyncio.get_running_loop()
        try:
            results, turn = await self._watched(
                loop.run_in_executor(
                    self._thread, self._turn, [change for change, _ in changes], wish
                )
            )
        except Exception as error:
            if _may_pass(error):
                self._changes = changes + self._changes
                raise
            if not changes:
                raise
            log.exception("a turn failed; its changes are made one by one")
            await self._one_by_one(changes)
            return await self.make(wish)
        for (_, future), result in zip(changes, results, strict=True):
            if not future.done():
                future.set_result(result)
        return turn

    async def run(self, action: Callable[[Database], T]) -> T:
        """Do something else in the database thread."""
        loop = asyncio.get_running_loop()
        return await self._watched(loop.run_in_executor(self._thread, action, self._database))

    async def _watched(self, work: asyncio.Future[T]) -> T:
        """What the database thread gives. What hangs is broken off: a connection through which
        nothing comes any more would be waited for until the system gives it up."""
        while not (await asyncio.wait([work], timeout=HANGS))[0]:
            self._database.cut()
        return work.result()

    def keep_contact(self, clock: Clock) -> None:
        """With a database server: go by its clock, and give a sign of life."""

        def note(connection: Connection) -> None:
            workers.seen(connection, self._worker.id, clock.now())

        self.submit(note)
        self._thread.submit(self._adjust, clock)

    def _adjust(self, clock: Clock) -> None:
        with contextlib.suppress(StoreUnavailable):  # the turn that follows says so
            clock.adjust(self._database)

    async def follow_zones(self, now: datetime) -> None:
        """Go by the rules of the tz database as it is now, and move what waits by others; beside
        the turns, for it may take a while. Raises StoreUnavailable."""
        zone_files.forget()
        self._planner = zone_rules.renewed(self._planner)
        await asyncio.to_thread(zone_rules.follow, self._database, self._planner, now)

    def close(self) -> None:
        """End the thread, once it has done what it is doing."""
        self._thread.shutdown()
        self._growth.end()

    async def _one_by_one(self, changes: list[tuple[Change, asyncio.Future[Any]]]) -> None:
        """So that a change that can't be made takes no other with it."""
        for place, (change, future) in enumerate(changes):
            try:
                result = await self.run(partial(self._write, change=change))
            except Exception as error:
                if _may_pass(error):
                    self._changes = changes[place:] + self._changes
                    raise
                if not future.done():
                    future.set_exception(error)
            else:
                if not future.done():
                    future.set_result(result)

    def _turn(self, changes: list[Change], wish: Wish) -> tuple[list[Any], Turn]:
        if not changes and not self._astray:
            with self._database.read() as connection:
                look = outlook.look(connection, self._worker.id, wish.mine)
                watched, dead = self._others(connection, look)
                strangers = _strangers(connection, look, wish)
            if not _something_to_do(look, wish, dead):
                return [], Turn(look, watched=watched, strangers=strangers)
        if not self._database.has_room:
            if not changes:
                raise no_room(self._database.name)
            wish = replace(wish, room=NO_ROOM, preparing=NO_ROOM)
        token = next(self._tokens)
        self._astray.add(token)
        with self._database.turn(self._worker.id) as connection:
            results = changing.write(connection, changes)
            found = queue.take_back(connection, self._astray - {token}, wish.now)
            turn = self._claim(connection, wish, token, wait=not (changes or found))
            wrote = changes or found or turn.taken or turn.to_prepare or turn.late or turn.expired
            age = self._growth.grow(connection) if wrote else None
        self._astray.clear()
        self._growth.note(age, wish.upto)
        if turn.expired:
            clear_bells(self._database, self._bells)
        return results, turn

    def _write(self, database: Database, *, change: Callable[[Connection], T]) -> T:
        with database.write() as connection:
            result = change(connection)
            age = self._growth.grow(connection)
        self._growth.note(age, EPOCH)
        return result

    def _claim(self, connection: Connection, wish: Wish, token: str, *, wait: bool) -> Turn:
        look = outlook.look(connection, self._worker.id, wish.mine)
        watched, dead = self._others(connection, look)
        strangers = _strangers(connection, look, wish)
        if not _something_to_do(look, wish, dead):
            return Turn(look, watched=watched, strangers=strangers)
        expired = []
        if dead or any(until <= wish.now for until in look.foreign.values()):
            expired = queue.expire(
                connection,
                wish.now,
                [worker.id for worker in dead],
                self._guarantee_of,
                wish.mine,
            )
            workers.remove(connection, [worker.id for worker in dead])
            look = outlook.look(connection, self._worker.id, wish.mine)
        held = Claim(token, self._worker.id, wish.now, wish.now + self._claim_timeout)
        late = self._miss(connection, wish.now) if _is_late(look, wish) else []
        counting = self._locked(connection, look, wish, wait=wait)
        taken, missed = claim_due(connection, look, counting, held)
        to_prepare = claim_to_prepare(connection, look, wish, held)
        works, ahead = queue.load(connection, taken), queue.load(connection, to_prepare)
        works = pacing.let_in(connection, self._planner.timing, works, held.token, wish.now)
        if works and self._quotas is not None:
            alone = self._growth.is_alone(connection)
            works = self._quotas.let_in(connection, works, held.token, wish.now, alone=alone)
        taken_up = taking.take_up(connection, self._planner, works, wish.now)
        works, late = taken_up.works, [*late, *missed, *taken_up.late]
        return Turn(
            outlook.look(
                connection, self._worker.id, wish.mine | _held_in(works) | _held_in(ahead)
            ),
            works,
            ahead,
            queue.load(connection, late),
            expired,
            queue.load(connection, [after.id for _, after in expired if _is_given_up(after)]),
            watched,
            strangers,
        )

    def _locked(self, connection: Connection, look: Look, wish: Wish, *, wait: bool) -> Wish:
        """What is counted over all that goes out of an account, one worker counts at a time: the
        wish without the accounts that another one counts just now. For these the next turn waits,
        in which there is nothing to write: no result waits for another worker, nor is undone where
        that takes too long."""
        if self._database.path is not None:
            return wish
        chosen = accounts_to_claim(look, wish)
        limited = {
            number for number, account in account_rows.to_send(connection, chosen).items()
            if self._planner.timing.pace(account).spacing
            or (self._quotas is not None and self._quotas.of(account))
        }  # fmt: skip
        locked = account_rows.lock(connection, limited, wait=wait)
        return replace(wish, open=frozenset(chosen) - (limited - locked))

    def _miss(self, connection: Connection, now: datetime) -> list[int]:
        """Take out of the queue what is past its grace; the ids of what is missed."""
        leading = queue.load(connection, graces.leading(connection, now, SWEEP))
        late = taking.take_up(connection, self._planner, leading, now).late
        return late + graces.miss(connection, now, SWEEP)

    def _others(
        self, connection: Connection, look: Look
    ) -> tuple[tuple[Worker, ...], list[Worker]]:
        """The workers to watch, and those that are dead."""
        others = look.foreign.keys() - {self._worker.id}
        if not others:
            return (), []
        holders = workers.by_ids(connection, others)
        state = {w.id: is_alive(w, self._bells) for w in holders}
        dead = [w for w in holders if state[w.id] is False]
        return tuple(w for w in holders if state[w.id]), dead


def _is_given_up(delivery: Delivery) -> bool:
    return delivery.status is DeliveryStatus.UNCONFIRMED


def _held_in(works: list[Work]) -> set[tuple[int, str]]:
    return {(work.delivery.id, claim.token) for work in works if (claim := work.delivery.claim)}


def _may_pass(error: Exception) -> bool:
    """Whether the database may take the same later. What breaks its rules it never takes."""
    return isinstance(error, StoreUnavailable) and not isinstance(error, StoreRefused)


def _something_to_do(look: Look, wish: Wish, dead: list[Worker]) -> bool:
    due = any(wish.room.on(lane.platform) > 0 for lane in wish.due(look))
    over = any(until <= wish.now for until in look.foreign.values())
    return bool(due or _is_late(look, wish) or wish.to_prepare(look) or over or dead)


def _is_late(look: Look, wish: Wish) -> bool:
    """Whether anything is past its grace."""
    return look.grace_ends is not None and look.grace_ends < wish.now


def _strangers(connection: Connection, look: Look, wish: Wish) -> Sequence[Account]:
    near = {lane.account_id for lane in look.lanes if lane.next_at <= wish.meeting}
    strange = near - wish.settled
    return list(account_rows.by_ids(connection, list(strange)).values()) if strange else ()
