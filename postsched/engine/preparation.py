"""What a held delivery needs before it can be sent, each result durable before the next step."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from postsched.domain.delivery import Delivery, DeliveryStatus, Step
from postsched.domain.outcome import Asked, ErrorKind, LetGo, Problem, Sent
from postsched.engine.access import Access
from postsched.engine.clock import Clock
from postsched.engine.hands import Held
from postsched.engine.publisher import Publisher
from postsched.engine.settlement import Settlement
from postsched.engine.verdicts import not_known

log = logging.getLogger("postsched.engine")
STALE = timedelta(hours=6)
AGAIN = timedelta(minutes=1)
CANT_PREPARE = Problem(ErrorKind.TRANSIENT, "it can't be prepared now")


class Preparation:
    """Has the steps of held deliveries prepared."""

    def __init__(
        self, publisher: Publisher, access: Access, settlement: Settlement, clock: Clock
    ) -> None:
        self._publisher = publisher
        self._access = access
        self._settlement = settlement
        self._clock = clock

    async def ahead(self, held: Held) -> None:
        """Prepare the steps of a delivery that stays scheduled, and give it back. What can't be
        prepared now is tried again in a minute, and at the latest when it is due; by another worker
        at once, if it is only this one that can't."""
        again: datetime | None = None
        refused: Sent | None = None
        started = self._clock.now()
        for index, step in enumerate(held.work.delivery.steps):
            if step.published or step.prepared is not None:
                continue
            if not self._publisher.can_prepare(held.work, index):
                break
            started = self._clock.now()
            outcome = await self._publisher.prepare(held.work, index)
            if not isinstance(outcome, dict):
                refused, again = outcome, self._when_again(held, outcome)
                break
            held.note_prepared(index, outcome, self._clock.now())
        await self._settlement.give_back(held, again, refused, started)

    def _when_again(self, held: Held, outcome: Sent) -> datetime | None:
        account, now = held.work.account, self._clock.now()
        problem = getattr(outcome, "problem", None) or CANT_PREPARE
        if isinstance(outcome, LetGo) and outcome.here:
            self._access.close(account, problem)
            return now
        log.warning("%s: can't be prepared yet: %s", account.name, problem.message)
        again = now + AGAIN
        return again if again < held.work.delivery.due_at else None

    def can_wait(self, held: Held) -> bool:
        """Whether nothing need be prepared before it is its turn: it is only to be asked about, or
        it is due already and is prepared without being put on record."""
        delivery, index = held.work.delivery, held.work.delivery.next_step
        if delivery.status is DeliveryStatus.CONFIRMING:
            return True
        due = held.at <= self._clock.now()
        return due and index is not None and self._publisher.prepares_alike(held.work, index)

    def goes_along(self, held: Held) -> bool:
        """Whether its only step can be prepared and sent in one go: nothing of it need be on record
        in between."""
        steps = held.work.delivery.steps
        if len(steps) != 1 or steps[0].prepared is not None:
            return False
        alike = self._publisher.prepares_alike(held.work, 0)
        return alike and self._settlement.guarantee(held).settles

    async def finish(self, held: Held) -> Delivery | None:
        """Prepare every step that can be, and save it. Returns None if the delivery is ready to be
        sent, else what it has become (already written), or itself if it is no longer held."""
        delivery, unsaved = held.work.delivery, False
        for index, step in enumerate(delivery.steps):
            if step.published or not self._is_needed(delivery, step):
                continue
            if not self._publisher.can_prepare(held.work, index):
                break
            started = self._clock.now()
            prepared = await self._publisher.prepare(held.work, index)
            if not isinstance(prepared, dict):
                return await self._settlement.sent(held, prepared, started, index, "prepare")
            unsaved |= not self._publisher.prepares_alike(held.work, index)
            held.note_prepared(index, prepared, started)
        if unsaved and not await self._settlement.save(held):
            return delivery
        held.ready = True
        return None

    def _is_needed(self, delivery: Delivery, step: Step) -> bool:
        """Uploads and containers are kept by the networks for hours only: what is older is made
        anew, where nothing of it can have been sent."""
        if step.prepared is None:
            return True
        if delivery.sent_at is not None or step.prepared_at is None:
            return False
        return self._clock.now() - step.prepared_at > STALE

    async def to_ask(self, held: Held, index: int) -> Asked | None:
        """Make again what was sent without being on record. Returns an answer if it can't be."""
        if held.work.delivery.steps[index].prepared is not None:
            return None
        prepared = await self._publisher.prepare(held.work, index)
        if not isinstance(prepared, dict):
            return not_known(prepared, self._clock.now())
        held.note_prepared(index, prepared, self._clock.now())
        return None
