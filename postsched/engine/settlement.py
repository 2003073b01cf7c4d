"""What the attempts at a held delivery came to, judged and written down."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from random import Random

from sqlalchemy import Connection

from postsched.domain.capabilities import Guarantee
from postsched.domain.delivery import Attempt, Delivery, Step, guaranteed
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
from postsched.engine import answers
from postsched.engine.access import Access
from postsched.engine.clock import Clock
from postsched.engine.hands import Held
from postsched.engine.publisher import Publisher
from postsched.engine.results import Ledger, Result
from postsched.store import queue
from postsched.store.holds import Call
from postsched.store.neighbours import Neighbours, neighbours
from postsched.store.settling import Settled

log = logging.getLogger("postsched.engine")
Submit = Callable[[Callable[[Connection], bool]], Awaitable[bool]]
HOLDING = (ErrorKind.RATE_LIMIT, ErrorKind.AUTH)
"""What keeps an account waiting."""


class Settlement:
    """Judges and writes. `submit` writes a change and answers once it is committed."""

    def __init__(
        self,
        publisher: Publisher,
        access: Access,
        submit: Submit,
        clock: Clock,
        rng: Random,
        policy: RetryPolicy,
    ) -> None:
        self._publisher = publisher
        self._access = access
        self._submit = submit
        self._clock = clock
        self._rng = rng
        self._policy = policy
        self._ledger = Ledger(rng)

    def judge(self, held: Held) -> Judge:
        """What an outcome is judged by, now."""
        return Judge(self.guarantee(held), self._policy, self._clock.now(), self._rng)

    def guarantee(self, held: Held) -> Guarantee:
        """How a lost answer to the step that is next can be settled."""
        return guaranteed(held.work.delivery, self._publisher.guarantee(held.work.account))

    async def sent(
        self, held: Held, outcome: Sent, started: datetime, index: int, action: str
    ) -> Delivery:
        """A step was sent, or could not be; as `settle`."""
        after = self.judge(held).sent(held.work.delivery, outcome, started)
        return await self.settle(held, after, started, index, outcome, action)

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
            _evidence(outcome, step),
        )  # fmt: skip
        if after.claim is None and not _is_trouble(outcome):
            held.done_sending()  # else the next one waits until it is known whether it may go
        hold: Problem | None = None
        match outcome:
            case LetGo(Problem() as problem, here=True):
                self._access.close(held.work.account, problem)
            case LetGo(Problem() as hold):
                log.error("%s: %s; its posts wait", before.account, hold.message)
        if not await self.write(held, after, attempt, hold=hold, outcome=outcome):
            log.warning("delivery %d was taken over by another worker", before.id)
            after = replace(before, claim=None)
        elif isinstance(outcome, Published):
            for note in answers.notes(step.prepared):
                log.warning("%s: post %d is out, but %s", before.account, before.post_id, note)
        return after

    async def write(
        self,
        held: Held,
        after: Delivery,
        *made: Attempt,
        hold: Problem | None = None,
        outcome: Sent | Asked | None = None,
    ) -> bool:
        """Write a changed delivery and its attempts, with what the `outcome` of the last one means
        for its account; whether it was still held. `hold` is why the account's login was refused:
        the account waits for another."""
        settled = Settled(after, held.token, self._clock.now(), made)
        held.change(after)
        return await self._submit(
            Result(settled, held.work.account, self._ledger.write, outcome, hold)
        )

    async def neighbours(self, held: Held) -> Neighbours:
        """What else the account has posted, which must not be taken for what is in doubt."""
        work, now = held.work, self._clock.now()
        found: list[Neighbours] = []

        def look(connection: Connection) -> bool:
            found.append(neighbours(connection, work.delivery, work.post, work.account, now))
            return True

        await self._submit(look)
        return found[-1]

    async def save(self, held: Held) -> bool:
        """Write what was prepared; whether it is still held."""
        delivery, token = held.work.delivery, held.token
        return await self._submit(lambda connection: queue.save_steps(connection, delivery, token))

    async def give_back(
        self,
        held: Held,
        again: datetime | None,
        outcome: Sent | None = None,
        started: datetime | None = None,
    ) -> Delivery:
        """End a claim to prepare ahead, which is to be made again at that instant (UTC), if at
        all. `outcome` is why it could not be, tried at `started`. Returns the delivery without the
        claim."""
        delivery, token = held.work.delivery, held.token

        def change(connection: Connection) -> bool:
            if not queue.give_back(connection, delivery, token, again):
                return False
            if outcome is not None and started is not None:
                account, now = held.work.account, self._clock.now()
                self._ledger.note(connection, [Call(account, outcome, started, again, now)])
            return True

        await self._submit(change)
        return replace(delivery, claim=None)


def _evidence(outcome: Sent | Asked, step: Step) -> str | None:
    """What the attempt left behind: the post's id, and what it is out without."""
    found: str | None = getattr(outcome, "evidence", None) or getattr(outcome, "remote_id", None)
    if not isinstance(outcome, Published):
        return found
    return "; ".join(filter(None, [found, *answers.notes(step.prepared)]))


def _is_trouble(outcome: Sent | Asked) -> bool:
    """Whether others of the account may have to wait for what it came to."""
    problem = getattr(outcome, "problem", None)
    return problem is not None and (problem.silent or problem.kind in HOLDING)


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
