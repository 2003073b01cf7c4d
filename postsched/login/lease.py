"""A lease on an account's login: one process at a time renews it and writes its secret.

The lease is a row in the database that says until when it holds. While it is held it is prolonged
again and again, so that one of a process that was killed ends soon. A process that was suspended
may have lost it without knowing: whoever writes takes it again first, and compares.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING

from postsched.domain.errors import StoreUnavailable
from postsched.store import accounts as account_rows

if TYPE_CHECKING:
    from postsched.store.database import Database

LEASE = timedelta(seconds=15)
"""How long it holds without being prolonged."""
BEAT = LEASE.total_seconds() / 3
"""Seconds between two prolongations."""
PAUSE = 0.05
"""Seconds between two tries to get it."""


class Lease:
    """A lease for a holder, taken with `take` and given back at the end of `async with`."""

    def __init__(
        self, database: Database, name: str, holder: str, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._name = name
        self._holder = holder
        self._now = now
        self._beating: asyncio.Task[None] | None = None
        self._beat: asyncio.Future[bool] | None = None

    async def take(self, patience: float) -> bool:
        """Get it within so many seconds, or prolong it; whether it is held now. A database that
        can't be used is tried again, as if another process had it."""
        loop = asyncio.get_running_loop()
        end = loop.time() + patience
        while not await asyncio.to_thread(self._try):
            if loop.time() >= end:
                return False
            await asyncio.sleep(PAUSE)
        return True

    async def __aenter__(self) -> Lease:
        self._beating = asyncio.create_task(self._prolong())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._beating is not None:
            self._beating.cancel()
        if self._beat is not None:
            await asyncio.wait([self._beat])  # its thread goes on, and would take it once more
        await asyncio.to_thread(self._end)

    async def _prolong(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            self._beat = asyncio.ensure_future(asyncio.to_thread(self._try))
            await asyncio.shield(self._beat)

    def _try(self) -> bool:
        now = self._now()
        with contextlib.suppress(StoreUnavailable), self._database.write() as connection:
            return account_rows.take_lease(connection, self._name, self._holder, now, now + LEASE)
        return False

    def _end(self) -> None:
        # What can't be given back runs out.
        with contextlib.suppress(StoreUnavailable), self._database.write() as connection:
            account_rows.end_lease(connection, self._name, self._holder)
