"""What came of held deliveries, written with all that it means: for the delivery, for its account,
and for the network."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

from sqlalchemy import Connection

from postsched.domain.account import Account
from postsched.domain.errors import advised
from postsched.domain.outcome import Asked, Problem, Sent
from postsched.store import accounts as account_rows
from postsched.store import holds, settling
from postsched.store.holds import Call
from postsched.store.settling import Settled

log = logging.getLogger("postsched.engine")


@dataclass(frozen=True, slots=True)
class Result:
    """A change (`engine.changes`): a delivery settled. `outcome` is what its last attempt came to,
    begun at `started`; None where there was none. `hold` is why the account's login was refused:
    the account waits for another. What comes of it is whether the delivery was still held."""

    settled: Settled
    account: Account
    together: Callable[[Connection, Sequence[Result]], list[bool]]
    outcome: Sent | Asked | None = None
    hold: Problem | None = None

    @property
    def is_last(self) -> bool:
        """Whether nothing waits for it to be written, but those who are told."""
        return self.settled.is_finished

    def __call__(self, connection: Connection) -> bool:
        """Write this one alone."""
        return self.together(connection, [self])[0]


class Ledger:
    """Writes results."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def write(self, connection: Connection, results: Sequence[Result]) -> list[bool]:
        """Write them, in their order; which deliveries were still held. What is written already
        counts as held, and changes nothing."""
        # One that goes on keeps its token: by that alone it can't be told.
        done = settling.written(connection, [r.settled for r in results if r.settled.after.claim])
        fresh = [one for one in results if one.settled.after.id not in done]
        held = settling.settle(connection, [one.settled for one in fresh])
        kept = [one for one, is_held in zip(fresh, held, strict=True) if is_held]
        lost = [one.settled for one, is_held in zip(fresh, held, strict=True) if not is_held]
        done |= settling.written(connection, lost)
        self._mean(connection, kept)
        done |= {one.settled.after.id for one in kept}
        return [one.settled.after.id in done for one in results]

    def _mean(self, connection: Connection, kept: Sequence[Result]) -> None:
        """Write what they mean for their accounts."""
        for one in kept:
            if one.hold:
                _hold(connection, one.account, one.hold, one.settled.now)
        calls = [_call(one, one.outcome) for one in kept if one.outcome is not None]
        if calls:
            self.note(connection, calls)

    def note(self, connection: Connection, calls: Sequence[Call]) -> None:
        """Write what calls mean for their accounts and networks, and say so."""
        for call, hold in zip(calls, holds.note(connection, calls, self._rng), strict=True):
            if hold is not None and hold.until is not None:
                until = f"{hold.until:%Y-%m-%d %H:%M:%S}Z"
                log.warning(
                    "%s: %s; nothing is sent before %s", call.account.name, hold.message, until
                )


def _call(result: Result, outcome: Sent | Asked) -> Call:
    settled = result.settled
    started: datetime = settled.attempts[-1].started_at
    return Call(result.account, outcome, started, settled.after.next_at, settled.now)


def _hold(connection: Connection, account: Account, problem: Problem, now: datetime) -> None:
    """Not if a person has given it another secret since: that one was not refused."""
    if account_rows.by_ids(connection, [account.id]).get(account.id) == account:
        words = advised(problem.message, problem.hint)
        account_rows.hold(connection, account.id, words, now)
