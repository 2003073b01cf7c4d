"""The courier's side of the outbox: every call in a database thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from postsched.domain.errors import StoreUnavailable
from postsched.domain.notice import GATHERED, Way
from postsched.engine.receivers import Parcel, Receivers
from postsched.store import accounts as account_rows
from postsched.store import outbox, untold
from postsched.store.database import Database
from postsched.store.untold import Untold

T = TypeVar("T")
WIDER = 4
"""How many times as many as are told at once are looked at, to be fair to every address."""
MOST = 2000
"""How many rows become messages at once, where they are gathered."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a try at some rows came to: told, to be told again at `again`, or given up."""

    ids: Sequence[int]
    again: datetime | None
    problem: str | None
    done: Sequence[str] = ()
    answer: int | None = None


Result = tuple[Parcel, Sequence[Entry], datetime]


class Mailbag:
    """Claims parcels and settles them; `mark` names this process. Every method but `close` raises
    StoreUnavailable."""

    def __init__(self, database: Database, mark: str) -> None:
        self.database = database
        self._tokens = (f"{mark}.{n}" for n in itertools.count(1))
        self._thread = ThreadPoolExecutor(1, "postsched-notify")
        self._held: dict[str, set[int]] = {}
        self._results: dict[tuple[str, int], Result] = {}
        self._writing = asyncio.Lock()
        self.receivers = Receivers()

    async def next_at(self, way: Way) -> datetime | None:
        """When something is to be told next in that way, None for never."""

        def look(database: Database) -> datetime | None:
            with database.read() as connection:
                return untold.next_at(connection, way)

        return await self._run(look)

    async def claim(
        self,
        way: Way,
        now: datetime,
        upto: datetime,
        lease: timedelta,
        most: int,
        only: Sequence[int] | None = None,
    ) -> list[Parcel]:
        """Up to so many parcels that are due at `upto`; `only` of rows with those ids."""
        at = await self.next_at(way)
        if at is None or at > upto:
            return []
        token = next(self._tokens)

        def take(database: Database) -> list[Parcel]:
            with database.write() as connection:
                chosen, limit = only, MOST if way in GATHERED else most
                if way is Way.CALLBACK and only is None:
                    found = untold.due(connection, way, upto, most * WIDER)
                    chosen = self.receivers.fair(found, most)
                rows = untold.claim(connection, way, now, upto, now + lease, token, limit, chosen)
                parcels = [Parcel(way, token, group) for group in _grouped(rows, way)]
                untold.let_go(connection, token, [n for one in parcels[most:] for n in one.ids])
            return parcels[:most]

        parcels = await self._run(take)
        self._held[token] = {number for one in parcels for number in one.ids}
        return parcels

    async def settle(self, parcel: Parcel, entries: Sequence[Entry], now: datetime) -> None:
        """Write what became of a parcel's rows; what others have to write meanwhile goes with it,
        so that the database is seldom locked."""
        self._results[parcel.token, parcel.ids[0]] = (parcel, entries, now)
        async with self._writing:
            if (parcel.token, parcel.ids[0]) not in self._results:
                return
            results = dict(self._results)
            await self._run(partial(_write, results=list(results.values())))
            for key, (done, _, _) in results.items():
                self._results.pop(key, None)
                held = self._held.get(done.token, set())
                held.difference_update(done.ids)
                if not held:
                    self._held.pop(done.token, None)

    async def leave_alone(self, url: str, now: datetime, problem: str) -> int:
        """An address does not answer: try it less and less often, so that those of others are not
        kept waiting; how many rows that had waited for a day were given up."""
        until, dead = self.receivers.failed(url, now)

        def write(database: Database) -> int:
            with database.write() as connection:
                return untold.put_off(connection, url, now, until, problem, dead=dead)

        return await self._run(write)

    async def give_back(self) -> None:
        """Let go of all that is not settled."""
        held, self._held = self._held, {}

        def write(database: Database) -> None:
            with database.write() as connection:
                for token, ids in held.items():
                    untold.let_go(connection, token, ids)

        if held:
            with contextlib.suppress(StoreUnavailable):  # then the claims run out
                await self._run(write)

    async def look_after(self, now: datetime) -> None:
        """Note the logins that end soon, and remove what is old."""

        def look(database: Database) -> None:
            with database.read() as connection:
                ending = outbox.ending(connection, now, account_rows.every(connection))
                old = untold.has_old(connection, now)
            if ending or old:
                with database.write() as connection:
                    for account in ending:
                        outbox.note_ending(connection, now, account)
                    left = untold.prune(connection, now)
                while left:  # in steps, between which others may write
                    with database.write() as connection:
                        left = untold.prune(connection, now)

        await self._run(look)

    def close(self) -> None:
        """End the thread, once it has done what it is doing."""
        self._thread.shutdown()

    async def _run(self, action: Callable[[Database], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, action, self.database)


def _write(database: Database, *, results: Sequence[Result]) -> None:
    with database.write() as connection:
        for parcel, entries, now in results:
            for one in entries:
                untold.settle(
                    connection, parcel.token, one.ids, now, one.again, one.problem, one.done,
                    one.answer,
                )  # fmt: skip


def _grouped(rows: Sequence[Untold], way: Way) -> list[list[Untold]]:
    """What happened to an account at once goes into one message, where it is gathered."""
    if way not in GATHERED:
        return [[one] for one in rows]
    groups: dict[object, list[Untold]] = {}
    for one in rows:
        message = one.message
        groups.setdefault((message.event, message.account, message.done), []).append(one)
    return list(groups.values())
