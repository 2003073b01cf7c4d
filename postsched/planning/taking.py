"""What is claimed of a series: it stands for the right occurrence, and the next is planned.

Both happen in the transaction of the claim, so that a process that dies leaves neither a gap nor a
series without a next.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from postsched.domain import moves
from postsched.domain.delivery import Attempt, Delivery, DeliveryStatus
from postsched.domain.errors import PostschedError
from postsched.domain.post import CatchUp, Missed
from postsched.domain.schedule import Schedule
from postsched.planning.catching_up import LATE, Choice, choose
from postsched.planning.chain import MICROSECOND, Chain
from postsched.planning.planner import Occasion, Planner, grace_until
from postsched.planning.timing import turn_in
from postsched.store import chains, outbox, plans, queue, zone_notes
from postsched.store import deliveries as delivery_rows
from postsched.store import posts as post_rows
from postsched.store.queue import Work

log = logging.getLogger("postsched.engine")
S = DeliveryStatus


@dataclass(slots=True)
class Taken:
    """What came of claimed works: those to send, and the ids of those that were missed."""

    works: list[Work] = field(default_factory=list)
    late: list[int] = field(default_factory=list)


def take_up(
    connection: Connection, planner: Planner, works: Sequence[Work], now: datetime
) -> Taken:
    """Judge what leads a series, claimed or past its grace, and plan the next of each; the rest
    stays as it is."""
    leading = [work for work in works if work.delivery.leads]
    if not leading:
        return Taken(list(works))
    post_ids = list({work.post.id for work in leading})
    schedules = post_rows.schedule_of(connection, post_ids)
    for zone in zone_notes.keep_up(connection, {one.tz for one in schedules.values()}):
        log.warning(
            "this process goes by other rules of %s than another one: give both the same tz "
            "database, or series in it may go out at the times of either",
            zone,
        )
    taken = Taken([work for work in works if not work.delivery.leads])
    for work in leading:
        _Leader(connection, planner, work, schedules[work.post.id], now).take(taken)
    taken.works.sort(key=lambda work: (work.delivery.due_at, work.delivery.id))
    return taken


@dataclass(frozen=True, slots=True)
class _Leader:
    """One row that leads, at the moment it is taken up."""

    connection: Connection
    planner: Planner
    work: Work
    schedule: Schedule
    now: datetime

    def take(self, taken: Taken) -> None:
        """Let it stand for the occurrence that is to be sent, or go on waiting; and pass on."""
        delivery, post = self.work.delivery, self.work.post
        if delivery.status is S.CONFIRMING:  # it may be out, and is what it is
            self._send(delivery.occurrence, taken)
            return
        grace = None if post.missed is Missed.LATE else post.grace
        due, catch_up = self._missed_since
        try:
            choice = choose(self.schedule, delivery.occurrence, due, catch_up, grace, self.now)
        except PostschedError as error:  # a zone that is not known here: what is due goes out
            log.error("post %d to %s: %s", post.id, delivery.account, error)
            choice = Choice(delivery.occurrence)
        if choice.skipped:
            self._say(choice)
        if choice.at is None:
            self._over(taken)
        elif choice.skipped and self._due(choice.at) > self.now:
            self._wait_for(choice.at, taken)
        else:
            self._send(choice.at, taken)

    @property
    def _missed_since(self) -> tuple[datetime, CatchUp]:
        """When it was due, and how to catch up. All that a series names in quiet hours is due at
        their end, and would storm: it counts as missed, but one of it goes out even so; and so it
        does where all it waited for is the account's own spacing."""
        delivery, catch_up = self.work.delivery, self.work.post.catch_up
        pace = self.planner.timing.pace(self.work.account)
        on_time = self.now - delivery.due_at <= LATE + pace.spacing
        if on_time and catch_up is CatchUp.NONE:
            catch_up = CatchUp.NEWEST
        quiet = pace.quiet_until(delivery.occurrence) is not None
        return delivery.occurrence if quiet else delivery.due_at, catch_up

    @property
    def _held(self) -> bool:
        return self.work.delivery.claim is not None

    def _send(self, at: datetime, taken: Taken) -> None:
        """What is to go out now, unless it is past its grace, or has a row of its own."""
        delivery = self.work.delivery
        until = grace_until(self.work.post, self._due(at))
        other = at != delivery.occurrence
        fresh = not self._held and (until is None or until >= self.now)
        if other and (fresh or self._has_row(at)):
            self._wait_for(at, taken)
            return
        chains.unlead(self.connection, [delivery.id])
        self._chain.plan_after(self.connection, at, delivery.number or 0, self.now)
        if other:
            self._stand_for(at, leads=False)
            (taken_up,) = queue.load(self.connection, [delivery.id])
            delivery = taken_up.delivery
        else:
            taken_up = replace(self.work, delivery=replace(delivery, leads=False))
        over = delivery.grace_until is not None and delivery.grace_until < self.now
        if over and delivery.status is not S.CONFIRMING:
            self._miss(delivery)
            taken.late.append(delivery.id)
        elif self._held:
            taken.works.append(taken_up)

    def _due(self, at: datetime) -> datetime:
        post, account = self.work.post, self.work.account
        turn = turn_in(self.connection, post, account)
        return self.planner.timing.due(post, account, at, turn)

    def _wait_for(self, at: datetime, taken: Taken) -> None:
        """It waits for that occurrence, or the first after it that has no row, and leads on."""
        number = self.work.delivery.number or 0
        occasion = self._chain.next_free(self.connection, at - MICROSECOND, number)
        if occasion is None:
            self._over(taken)
        else:
            self._stand_for(occasion.at, leads=True)

    def _over(self, taken: Taken) -> None:
        """Nothing of the series is to come, and this one is not to go out any more."""
        delivery = self.work.delivery
        chains.unlead(self.connection, [delivery.id])
        self._miss(delivery)
        taken.late.append(delivery.id)

    def _has_row(self, at: datetime) -> bool:
        before = self.work.delivery.occurrence
        return at in chains.taken(self.connection, self.work.post.id, self.work.account.id, before)

    def _stand_for(self, at: datetime, *, leads: bool) -> None:
        """Give the row that occurrence, which has none."""
        delivery = self.work.delivery
        turn = turn_in(self.connection, self.work.post, self.work.account)
        occasion = Occasion(at, delivery.number, leads=leads, turn=turn)
        row = self.planner.row(self.work.post, self.work.account, occasion, self.now)
        chains.move(self.connection, delivery.id, row, held=self._held and not leads)

    def _miss(self, delivery: Delivery) -> None:
        claim = delivery.claim
        if claim is None:
            after = moves.miss(delivery)
            if plans.rewrite(self.connection, after, delivery, self.now):
                outbox.note(self.connection, self.now, after)
            return
        missed = moves.miss(moves.let_go(delivery))
        queue.settle(self.connection, missed, claim.token, self.now)

    def _say(self, choice: Choice) -> None:
        """One line for all that is skipped."""
        delivery, catch_up = self.work.delivery, self.work.post.catch_up
        words = (
            f"{choice.said} of the series were missed from {_z(delivery.occurrence)} to "
            f"{_z(choice.last or delivery.occurrence)} and are not sent (catch-up {catch_up})"
        )
        log.warning("post %d to %s: %s", self.work.post.id, delivery.account, words)
        attempt = Attempt(0, self.now, self.now, "catch-up", "", "skipped", None, words)
        delivery_rows.add_attempt(self.connection, delivery.id, attempt)

    @property
    def _chain(self) -> Chain:
        return Chain(self.work.post, self.work.account, self.schedule, self.planner)


def _z(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
