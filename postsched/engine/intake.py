"""What a turn takes in hand, in its transaction.

That is what is due and what is to be prepared; what is past its grace; and what other workers,
silent or dead, have let go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from postsched.domain.account import Account
from postsched.domain.capabilities import Guarantee
from postsched.domain.delivery import Claim, Delivery, DeliveryStatus
from postsched.engine import pacing
from postsched.engine.claiming import (
    SWEEP,
    Wish,
    accounts_to_claim,
    claim_due,
    claim_to_prepare,
)
from postsched.engine.growth import Growth
from postsched.engine.quotas import Quotas
from postsched.engine.worker import is_alive
from postsched.planning import taking
from postsched.planning.planner import Planner
from postsched.store import accounts as account_rows
from postsched.store import graces, outlook, queue, workers
from postsched.store.database import Database
from postsched.store.outlook import Look
from postsched.store.queue import Work
from postsched.store.workers import Worker


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


@dataclass(frozen=True, slots=True)
class Sight:
    """What there is to see before anything is claimed; `dead` are workers whose claims are over."""

    look: Look
    watched: tuple[Worker, ...]
    dead: Sequence[Worker]
    strangers: Sequence[Account]

    def calls_for(self, wish: Wish) -> bool:
        """Whether anything is to be done that is wished for."""
        look = self.look
        due = any(wish.room.on(lane.platform) > 0 for lane in wish.due(look))
        over = any(until <= wish.now for until in look.foreign.values())
        return bool(due or _is_late(look, wish) or wish.to_prepare(look) or over or self.dead)

    @property
    def turn(self) -> Turn:
        """A turn in which no more was done than to look."""
        return Turn(self.look, watched=self.watched, strangers=self.strangers)


class Intake:
    """What one worker takes of what waits in the database."""

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
        self._is_shared = database.path is None
        self._worker = worker
        self._bells = bells
        self._claim_timeout = claim_timeout
        self._guarantee_of = guarantee_of
        self._growth = growth
        self.planner = planner
        self._quotas = quotas

    def look(self, connection: Connection, wish: Wish) -> Sight:
        """What there is to see, in any transaction."""
        look = outlook.look(connection, self._worker.id, wish.mine)
        watched, dead = self._others(connection, look)
        return Sight(look, watched, dead, _strangers(connection, look, wish))

    def take(self, connection: Connection, wish: Wish, token: str, *, wait: bool) -> Turn:
        """Take what is wished for, under the token, in a worker's turn. `wait`: for a worker that
        counts what goes out of the same account just now."""
        sight = self.look(connection, wish)
        if not sight.calls_for(wish):
            return sight.turn
        look, expired = sight.look, []
        if sight.dead or any(until <= wish.now for until in look.foreign.values()):
            dead = [worker.id for worker in sight.dead]
            expired = queue.expire(connection, wish.now, dead, self._guarantee_of, wish.mine)
            workers.remove(connection, dead)
            look = outlook.look(connection, self._worker.id, wish.mine)
        held = Claim(token, self._worker.id, wish.now, wish.now + self._claim_timeout)
        late = self._miss(connection, wish.now) if _is_late(look, wish) else []
        counting = self._locked(connection, look, wish, wait=wait)
        taken, missed = claim_due(connection, look, counting, held)
        to_prepare = claim_to_prepare(connection, look, wish, held)
        works, ahead = queue.load(connection, taken), queue.load(connection, to_prepare)
        works = pacing.let_in(connection, self.planner.timing, works, held.token, wish.now)
        if works and self._quotas is not None:
            alone = self._growth.is_alone(connection)
            works = self._quotas.let_in(connection, works, held.token, wish.now, alone=alone)
        taken_up = taking.take_up(connection, self.planner, works, wish.now)
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
            sight.watched,
            sight.strangers,
        )

    def _locked(self, connection: Connection, look: Look, wish: Wish, *, wait: bool) -> Wish:
        """What is counted over all that goes out of an account, one worker counts at a time: the
        wish without the accounts that another one counts just now. For these the next turn waits,
        in which there is nothing to write: no result waits for another worker, nor is undone where
        that takes too long."""
        if not self._is_shared:
            return wish
        chosen = accounts_to_claim(look, wish)
        limited = {
            number for number, account in account_rows.to_send(connection, chosen).items()
            if self.planner.timing.pace(account).spacing
            or (self._quotas is not None and self._quotas.of(account))
        }  # fmt: skip
        locked = account_rows.lock(connection, limited, wait=wait)
        return replace(wish, open=frozenset(chosen) - (limited - locked))

    def _miss(self, connection: Connection, now: datetime) -> list[int]:
        """Take out of the queue what is past its grace; the ids of what is missed."""
        leading = queue.load(connection, graces.leading(connection, now, SWEEP))
        late = taking.take_up(connection, self.planner, leading, now).late
        return late + graces.miss(connection, now, SWEEP)

    def _others(
        self, connection: Connection, look: Look
    ) -> tuple[tuple[Worker, ...], Sequence[Worker]]:
        """The workers to watch, and those that are dead."""
        others = look.foreign.keys() - {self._worker.id}
        if not others:
            return (), ()
        holders = workers.by_ids(connection, others)
        state = {w.id: is_alive(w, self._bells) for w in holders}
        dead = [w for w in holders if state[w.id] is False]
        return tuple(w for w in holders if state[w.id]), dead


def _is_given_up(delivery: Delivery) -> bool:
    return delivery.status is DeliveryStatus.UNCONFIRMED


def _held_in(works: list[Work]) -> set[tuple[int, str]]:
    return {(work.delivery.id, claim.token) for work in works if (claim := work.delivery.claim)}


def _is_late(look: Look, wish: Wish) -> bool:
    """Whether anything is past its grace."""
    return look.grace_ends is not None and look.grace_ends < wish.now


def _strangers(connection: Connection, look: Look, wish: Wish) -> Sequence[Account]:
    near = {lane.account_id for lane in look.lanes if lane.next_at <= wish.meeting}
    strange = near - wish.settled
    return list(account_rows.by_ids(connection, list(strange)).values()) if strange else ()
