"""One held delivery from the claim to its settling, step by step, each result durable before the
next step begins."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar

from sqlalchemy import Connection

from postsched.domain import moves
from postsched.domain.account import AccountState
from postsched.domain.capabilities import Guarantee
from postsched.domain.delivery import Attempt, Delivery, DeliveryStatus, Step, guaranteed
from postsched.domain.outcome import (
    Absent,
    Asked,
    ErrorKind,
    Failed,
    LetGo,
    Lost,
    NotKnown,
    Problem,
    Published,
    Retry,
    Sent,
)
from postsched.domain.retry import RetryPolicy
from postsched.domain.settling import Judge
from postsched.engine.clock import Clock, wait_until
from postsched.engine.publisher import Publisher, not_known
from postsched.store import accounts as account_rows
from postsched.store import queue
from postsched.store.queue import Work

log = logging.getLogger("postsched.engine")
T = TypeVar("T")
Submit = Callable[[Callable[[Connection], T]], Awaitable[T]]
STALE = timedelta(hours=6)
MARGIN = 1.0
"""Seconds of a claim that must be left over after the time of one request."""


class Held:
    """A delivery this worker holds. `lease_from` is when, by the monotonic clock, the claim was
    last made or renewed."""

    def __init__(self, work: Work, lease_from: float) -> None:
        assert work.delivery.claim is not None
        self.work = work
        self.token = work.delivery.claim.token
        self.until = work.delivery.claim.until
        self.lease_from = lease_from
        self.ready = False
        self.stopping = False
        self.preparing: asyncio.Task[None] | None = None
        self.done_sending: Callable[[], None] = lambda: None
        """Called when the last request is over, before its result is durable."""

    @property
    def id(self) -> int:
        """The delivery's id."""
        return self.work.delivery.id

    @property
    def at(self) -> datetime:
        """When to take it up, UTC."""
        return self.work.delivery.next_at or self.work.delivery.due_at

    @property
    def platform(self) -> str:
        """The platform's name."""
        return self.work.account.platform

    def change(self, delivery: Delivery) -> None:
        """Go on with the changed delivery."""
        self.work = replace(self.work, delivery=delivery)


class Flight:
    """Takes held deliveries through their steps. `submit` writes a change and answers once it is
    committed; `renew` prolongs claims; `request_timeout` is seconds."""

    def __init__(
        self,
        publisher: Publisher,
        submit: Submit[bool],
        clock: Clock,
        rng: Random,
        policy: RetryPolicy,
        lease: timedelta,
        request_timeout: float,
        renew: Callable[[Sequence[Held]], Awaitable[None]],
    ) -> None:
        self._publisher = publisher
        self._submit = submit
        self._clock = clock
        self._rng = rng
        self._policy = policy
        self._lease = lease
        self._needed = request_timeout + min(MARGIN, lease.total_seconds() / 8)
        self._renew = renew

    async def prepare_ahead(self, held: Held) -> None:
        """Prepare the steps of a delivery that stays scheduled, and give it back. What can't be
        prepared now is tried again in a minute, and at the latest when it is due."""
        delivery = held.work.delivery
        problem: Problem | None = None
        for index, step in enumerate(delivery.steps):
            if problem or step.published or step.prepared is not None:
                continue
            outcome = await self._publisher.prepare(held.work, index)
            if isinstance(outcome, dict):
                steps = list(held.work.delivery.steps)
                steps[index] = replace(step, prepared=outcome, prepared_at=self._clock.now())
                held.change(replace(held.work.delivery, steps=tuple(steps)))
            else:
                problem = getattr(outcome, "problem", None) or CANT_PREPARE
        await self._give_back(held, problem)

    async def _give_back(self, held: Held, problem: Problem | None) -> None:
        delivery, token = held.work.delivery, held.token
        again = None
        if problem:
            log.warning("%s: can't be prepared yet: %s", delivery.account, problem.message)
            again = self._clock.now() + AGAIN
            again = again if again < delivery.due_at else None
        await self._submit(lambda connection: queue.give_back(connection, delivery, token, again))

    async def prepare(self, held: Held) -> Delivery | None:
        """Prepare every step that is not, and save it. Returns None if the delivery is ready to be
        sent, else what it has become (already written), or itself if it is no longer held."""
        delivery, unsaved = held.work.delivery, False
        for index, step in enumerate(delivery.steps):
            if step.published or not self._needs_preparing(delivery, step):
                continue
            started = self._clock.now()
            prepared = await self._publisher.prepare(held.work, index)
            if not isinstance(prepared, dict):
                after = self._judge(held).sent(held.work.delivery, prepared, started)
                await self.settle(held, after, started, index, prepared, "prepare")
                return after
            unsaved |= not self._publisher.prepares_alike(held.work, index)
            steps = list(held.work.delivery.steps)
            steps[index] = replace(step, prepared=prepared, prepared_at=started)
            held.change(replace(held.work.delivery, steps=tuple(steps)))
        if unsaved and not await self._save(held):
            return delivery
        held.ready = True
        return None

    def _needs_preparing(self, delivery: Delivery, step: Step) -> bool:
        """Uploads and containers are kept by the networks for hours only: what is older is made
        anew, where nothing of it can have been sent."""
        if step.prepared is None:
            return True
        if delivery.sent_at is not None or step.prepared_at is None:
            return False
        return self._clock.now() - step.prepared_at > STALE

    async def fly(self, held: Held) -> Delivery:
        """Send (or ask about) the steps that are not out, until the delivery is settled."""
        delivery = held.work.delivery
        if delivery.status is DeliveryStatus.CONFIRMING:
            delivery = await self._ask(held)
        while delivery.status is DeliveryStatus.PUBLISHING and delivery.claim:
            if held.stopping:
                return await self.let_go(held)
            delivery = await self._send(held)
        return delivery

    async def let_go(self, held: Held) -> Delivery:
        """Give a delivery back of which the current step surely was not sent."""
        before = held.work.delivery
        match before.status:
            case _ if before.claim is None:
                return before  # settled, or given back already
            case DeliveryStatus.PUBLISHING:
                after = moves.let_go(before)
            case DeliveryStatus.CONFIRMING:
                after = replace(before, claim=None)
            case _:
                return await self._stop_preparing(held)
        await self._write(held, after)
        return after

    async def _stop_preparing(self, held: Held) -> Delivery:
        """Give back what was being prepared ahead; another worker may go on at once."""
        now, delivery, token = self._clock.now(), held.work.delivery, held.token
        await self._submit(lambda connection: queue.give_back(connection, delivery, token, now))
        return replace(delivery, claim=None)

    async def _send(self, held: Held) -> Delivery:
        index = held.work.delivery.next_step
        assert index is not None
        if not await self._may_send(held):
            return await self.let_go(held)
        started = self._clock.now()

        def begin() -> bool:
            nonlocal started
            started = self._clock.now()
            return self._lease_lasts(held)

        outcome = await self._publisher.send(held.work, index, begin)
        after = self._judge(held).sent(held.work.delivery, outcome, started)
        return await self.settle(held, after, started, index, outcome, "publish")

    async def _may_send(self, held: Held) -> bool:
        """Make sure that the claim outlasts a request, and that where nothing can settle a lost
        answer the sending is on record before it begins."""
        if not self._lease_lasts(held):
            await self._renew([held])
            if not self._lease_lasts(held):
                return False
        if self._guarantee(held).settles:
            return True
        held.change(replace(held.work.delivery, sent_at=self._clock.now()))
        return await self._save(held) and self._lease_lasts(held)

    def _lease_lasts(self, held: Held) -> bool:
        """By the wall clock, which a suspended laptop moves on, and by the monotonic one, which
        nobody can set back."""
        wall = (held.until - self._clock.now()).total_seconds()
        passed = self._clock.monotonic() - held.lease_from
        return min(wall, self._lease.total_seconds() - passed) >= self._needed

    async def _ask(self, held: Held) -> Delivery:
        if not await wait_until(held.at, self._clock):  # it was handed out a little ahead
            return await self.let_go(held)
        index = held.work.delivery.next_step
        assert index is not None
        started = self._clock.now()
        judge = self._judge(held)
        if not judge.can_settle(held.work.delivery.sent_at):
            answer: Asked = NotKnown(CANT_ASK)
            after = moves.give_to_person(held.work.delivery, CANT_ASK)
        else:
            answer = await self._prepare_to_ask(held, index) or await self._publisher.ask(
                held.work, index, remembered=judge.remembers(held.work.delivery.sent_at)
            )
            after = self._judge(held).asked(held.work.delivery, answer)
        return await self.settle(held, after, started, index, answer, "ask")

    async def _prepare_to_ask(self, held: Held, index: int) -> Asked | None:
        """Make again what was sent without being on record. Returns an answer if it can't be."""
        steps = list(held.work.delivery.steps)
        if steps[index].prepared is not None:
            return None
        prepared = await self._publisher.prepare(held.work, index)
        if not isinstance(prepared, dict):
            return not_known(prepared, self._clock.now())
        steps[index] = replace(steps[index], prepared=prepared, prepared_at=self._clock.now())
        held.change(replace(held.work.delivery, steps=tuple(steps)))
        return None

    async def settle(
        self,
        held: Held,
        after: Delivery,
        started: datetime,
        index: int,
        outcome: Sent | Asked,
        action: str,
    ) -> Delivery:
        """Write what an attempt came to, with its evidence. Returns the delivery as it is now for
        this worker: without a claim if another one has taken it over."""
        before = held.work.delivery
        step = before.steps[index]
        name = f"{step.role} {step.n}" if step.role == "part" else str(step.role)
        problem = getattr(outcome, "problem", None)
        attempt = Attempt(
            before.attempts, started, self._clock.now(), action, name, _word(outcome), problem,
            getattr(outcome, "evidence", None) or getattr(outcome, "remote_id", None),
        )  # fmt: skip
        if after.claim is None:
            held.done_sending()
        refused = isinstance(outcome, LetGo) and outcome.after is None
        if refused and problem and problem.kind is ErrorKind.AUTH:
            log.error("%s: %s; its posts wait", before.account, problem.message)
            written = await self._write(held, after, attempt, hold=problem)
        else:
            if isinstance(outcome, LetGo) and problem and problem != before.problem:
                log.warning("%s: %s; tried again soon", before.account, problem.message)
            written = await self._write(held, after, attempt)
        if not written:
            log.warning("delivery %d was taken over by another worker", before.id)
            after = replace(before, claim=None)
        return after

    async def _write(
        self, held: Held, after: Delivery, *made: Attempt, hold: Problem | None = None
    ) -> bool:
        now, account = self._clock.now(), held.work.account

        def change(connection: Connection) -> bool:
            if not queue.settle(connection, after, held.token, now, *made):
                return False
            # Not if a person has given it another secret since: that one was not refused.
            if hold and account_rows.by_ids(connection, [account.id]).get(account.id) == account:
                words = f"{hold.message}. {hold.hint}" if hold.hint else hold.message
                account_rows.set_state(connection, account.id, AccountState.LOGIN, words)
            return True

        held.change(after)
        return await self._submit(change)

    async def _save(self, held: Held) -> bool:
        delivery, token = held.work.delivery, held.token
        return await self._submit(lambda connection: queue.save_steps(connection, delivery, token))

    def _judge(self, held: Held) -> Judge:
        return Judge(self._guarantee(held), self._policy, self._clock.now(), self._rng)

    def _guarantee(self, held: Held) -> Guarantee:
        """How a lost answer to the step that is next can be settled."""
        return guaranteed(held.work.delivery, self._publisher.guarantee(held.work.account))


AGAIN = timedelta(minutes=1)
CANT_PREPARE = Problem(ErrorKind.TRANSIENT, "it can't be prepared now")
CANT_ASK = Problem(
    ErrorKind.UNCONFIRMED,
    "the answer was lost, and this network can't be asked",
    hint="Look at the account, then: postsched resolve ID published|absent",
)


def _word(outcome: Sent | Asked) -> str:
    words: dict[type, str] = {
        Published: "published",
        Retry: "retry",
        Failed: "refused",
        Lost: "answer lost",
        LetGo: "let go",
        Absent: "not there",
        NotKnown: "not known",
    }
    return words[type(outcome)]
