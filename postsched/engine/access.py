"""Whose posts this worker can send: those of accounts whose secret it can read.

It claims for no others, for another worker may be able to. Whether a secret can be read is found
out ahead of the first claim, for each account apart, so that a keyring that hangs stops no other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from postsched.domain.account import Account
from postsched.domain.errors import advised
from postsched.domain.outcome import Problem
from postsched.engine.clock import Clock
from postsched.engine.publisher import Publisher

log = logging.getLogger("postsched.engine")
AGAIN = 60.0
"""Seconds after which an account that is shut is tried again."""
SOON = 1.0
"""The same if the bell rings meanwhile: the keyring may be open now, or have been given it."""


@dataclass(slots=True)
class Shut:
    """Why nothing can be sent for an account; `tried_at` and `again_at` are monotonic."""

    account: Account
    problem: Problem
    tried_at: float
    again_at: float


class Access:
    """What is known of the accounts, by id. `changed` is called when one was tried."""

    def __init__(self, publisher: Publisher, clock: Clock, changed: Callable[[], None]) -> None:
        self._publisher = publisher
        self._clock = clock
        self._changed = changed
        self._open: set[int] = set()
        self._shut: dict[int, Shut] = {}
        self._trying: dict[int, asyncio.Task[None]] = {}
        self.loud = True
        """Whether it is said here that nothing can be sent for an account."""

    @property
    def shut(self) -> Mapping[int, Shut]:
        """The accounts for which nothing can be sent just now."""
        return self._shut

    def is_open(self, account_id: int) -> bool:
        """Whether deliveries of the account may be claimed."""
        return account_id in self._open

    def opened(self) -> frozenset[int]:
        """The accounts of which that is so."""
        return frozenset(self._open)

    def settled(self) -> frozenset[int]:
        """The accounts that are not to be tried now."""
        now = self._clock.monotonic()
        shut = (number for number, one in self._shut.items() if one.again_at > now)
        return frozenset((*self._open, *self._trying, *shut))

    def seconds_left(self, account_ids: Iterable[int]) -> float:
        """Seconds until one of those is to be tried (again)."""
        now = self._clock.monotonic()
        waiting = (n for n in account_ids if n not in self._open and n not in self._trying)
        shut = (self._shut.get(number) for number in waiting)
        return min((one.again_at - now if one else 0.0 for one in shut), default=float("inf"))

    def try_out(self, accounts: Iterable[Account]) -> None:
        """Begin to find out about those."""
        for account in accounts:
            if account.id not in self._trying:
                task = asyncio.get_running_loop().create_task(self._try(account))
                self._trying[account.id] = task

    def close(self, account: Account, problem: Problem) -> None:
        """Nothing can be sent for it just now; said once."""
        before = self._shut.get(account.id)
        if self.loud and (before is None or before.problem != problem):
            log.error(
                "%s: %s. Until then, this process leaves its posts alone",
                account.name,
                advised(problem.message, problem.hint),
            )
        now = self._clock.monotonic()
        self._open.discard(account.id)
        self._shut[account.id] = Shut(account, problem, now, now + AGAIN)

    def try_soon(self) -> None:
        """Something was changed by someone: it may be what was in the way."""
        for one in self._shut.values():
            one.again_at = min(one.again_at, one.tried_at + SOON)

    def stop(self) -> None:
        """Wait for no answer any more."""
        for task in self._trying.values():
            task.cancel()

    async def _try(self, account: Account) -> None:
        try:
            problem = await self._publisher.obstacle(account)
        finally:
            del self._trying[account.id]
        if problem is not None:
            self.close(account, problem)
        else:
            self._open.add(account.id)
            if self._shut.pop(account.id, None):
                log.info("%s: its posts can be sent now", account.name)
        self._changed()
