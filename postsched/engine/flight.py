"""One held delivery from its instant to its settling, each result durable before the next step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from postsched.domain import moves
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.outcome import Asked, ErrorKind, NotKnown, Problem
from postsched.engine.clock import Clock, wait_until
from postsched.engine.hands import Held
from postsched.engine.leases import Leases
from postsched.engine.preparation import Preparation
from postsched.engine.publisher import Publisher
from postsched.engine.settlement import Settlement
from postsched.store.queue import Work

CANT_ASK = Problem(
    ErrorKind.UNCONFIRMED,
    "the answer was lost, and this network can't be asked",
    hint="Look at the account, then: postsched resolve ID published|absent",
)


class Flight:
    """Takes held deliveries through the steps that are not out."""

    def __init__(
        self,
        publisher: Publisher,
        preparation: Preparation,
        settlement: Settlement,
        leases: Leases,
        clock: Clock,
    ) -> None:
        self._publisher = publisher
        self._preparation = preparation
        self._settlement = settlement
        self._leases = leases
        self._clock = clock

    async def fly(self, held: Held) -> Delivery:
        """Send (or ask about) the steps that are not out, until the delivery is settled."""
        delivery = held.work.delivery
        if delivery.status is DeliveryStatus.CONFIRMING:
            delivery = await self._ask(held)
        while delivery.status is DeliveryStatus.PUBLISHING and delivery.claim:
            if held.stopping:
                return await self.let_go(held)
            along = self._preparation.goes_along(held)
            # What needs the id of the step before could not be prepared until now.
            if not along and (ended := await self._preparation.finish(held)) is not None:
                return ended
            delivery = await self._send(held, along=along)
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
            case _:  # it was being prepared; another worker may go on at once
                return await self._settlement.give_back(held, self._clock.now())
        await self._settlement.write(held, after)
        return after

    async def _send(self, held: Held, *, along: bool) -> Delivery:
        """Send the next step; `along`: and prepare it first."""
        index = held.work.delivery.next_step
        assert index is not None
        if self._is_too_late(held) or not await self._may_send(held):
            return await self.let_go(held)
        started = self._clock.now()
        action = "prepare" if along else "publish"

        def begin() -> bool:
            nonlocal started, action
            started, action = self._clock.now(), "publish"
            return self._leases.lasts(held) and not self._is_too_late(held)

        def note(prepared: dict[str, Any]) -> Work:
            held.note_prepared(index, prepared, started)
            return held.work

        if along:
            outcome = await self._publisher.send_whole(held.work, note, begin)
        else:
            outcome = await self._publisher.send(held.work, index, begin)
        return await self._settlement.sent(held, outcome, started, index, action)

    def _is_too_late(self, held: Held) -> bool:
        """Whether the grace ended while it was held: the machine slept, or an upload took long.
        Back in the queue it is missed. What is out in part is finished."""
        delivery = held.work.delivery
        until = delivery.grace_until
        return until is not None and until < self._clock.now() and not delivery.out

    async def _may_send(self, held: Held) -> bool:
        """Make sure that the claim outlasts a request, and that where nothing can settle a lost
        answer the sending is on record before it begins."""
        if not self._leases.lasts(held):
            await self._leases.renew([held])
            if not self._leases.lasts(held):
                return False
        if self._settlement.guarantee(held).settles:
            return True
        held.change(replace(held.work.delivery, sent_at=self._clock.now()))
        return await self._settlement.save(held) and self._leases.lasts(held)

    async def _ask(self, held: Held) -> Delivery:
        if not await wait_until(held.at, self._clock):  # it was handed out a little ahead
            return await self.let_go(held)
        index = held.work.delivery.next_step
        assert index is not None
        started = self._clock.now()
        judge = self._settlement.judge(held)
        if not judge.can_settle(held.work.delivery.sent_at):
            answer: Asked = NotKnown(CANT_ASK)
            after = moves.give_to_person(held.work.delivery, CANT_ASK)
        else:
            remembered = judge.remembers(held.work.delivery.sent_at)
            neighbours = await self._settlement.neighbours(held)
            answer = await self._preparation.to_ask(held, index) or await self._publisher.ask(
                held.work, index, neighbours, remembered=remembered
            )
            after = self._settlement.judge(held).asked(held.work.delivery, answer)
        return await self._settlement.settle(held, after, started, index, answer, "ask")
