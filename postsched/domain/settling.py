"""From what an attempt came to, to the move it means for the delivery."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from postsched.domain import moves
from postsched.domain.capabilities import Guarantee
from postsched.domain.delivery import Delivery
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
from postsched.domain.retry import RetryPolicy, next_question

DOUBT_ENDS = timedelta(hours=24)
"""How long a network is asked, from the first send, before a person has to decide."""


@dataclass(frozen=True, slots=True)
class Judge:
    """What is known when an outcome is judged: the account's guarantee, the policy, the time
    (UTC), and a source of chance for jitter."""

    guarantee: Guarantee
    policy: RetryPolicy
    now: datetime
    rng: Random

    def sent(self, delivery: Delivery, outcome: Sent, started: datetime) -> Delivery:
        """The delivery after one step was sent, or could not be; `started` is when."""
        match outcome:
            case Published():
                return moves.step_out(delivery, outcome, self.now, started)
            case Failed(problem):
                return moves.refuse(_timed(delivery, started), problem)
            case Lost(problem):
                return moves.lose(
                    _timed(delivery, started), self.guarantee, self._first_question(started),
                    started, problem,
                )  # fmt: skip
            case LetGo(problem):
                return moves.let_go(delivery, problem)
            case Retry(problem):
                return self._retry(_timed(delivery, started), outcome)

    def asked(self, delivery: Delivery, answer: Asked) -> Delivery:
        """The delivery after the network was asked about the step in doubt."""
        match answer:
            case Published():
                return moves.step_out(delivery, answer, self.now)
            case Failed(problem):
                return moves.refuse(delivery, problem)
            case LetGo(problem, here):
                at = next_question(delivery.asked, None, self.now, self.rng)
                if problem is None or not here:  # it waits for the person's new secret
                    return moves.ask_again(delivery, at, problem)
                return self._ask_again(delivery, at, problem)
            case NotKnown(problem, final=True):
                return moves.give_to_person(delivery, problem)
            case NotKnown(problem, after):
                at = next_question(delivery.asked, after, self.now, self.rng)
                return self._ask_again(delivery, at, problem)
            case Absent():
                return self._absent(delivery, answer)

    def _retry(self, delivery: Delivery, outcome: Retry) -> Delivery:
        if outcome.prepare_again:
            delivery = _unprepared(delivery)
        at = self.policy.next_try(delivery.attempts, outcome, self.now, self.rng)
        if at is None:
            return moves.refuse(delivery, outcome.problem)
        at = max(at, delivery.due_at)  # what is prepared ahead may be refused before it is due
        if not outcome.counts:
            return moves.rate_limited(delivery, at, outcome.problem)
        return moves.retry_later(delivery, at, outcome.problem)

    def _first_question(self, sent_at: datetime) -> datetime:
        """Within the network's memory for keys the same is sent again, soon; else it is asked."""
        if self.remembers(sent_at):
            return next_question(0, None, self.now, self.rng)
        return self.now + timedelta(seconds=next(iter(self.guarantee.look_ups), 0.0))

    def remembers(self, sent_at: datetime | None) -> bool:
        """Whether the network still knows a key that was first sent then."""
        memory = self.guarantee.deduplicates
        return memory is not None and (sent_at is None or self.now - sent_at < memory)

    def can_settle(self, sent_at: datetime | None) -> bool:
        """Whether asking can still settle a step that was first sent then."""
        return self.guarantee.can_look_up or self.remembers(sent_at)

    def _absent(self, delivery: Delivery, answer: Absent) -> Delivery:
        waits = self.guarantee.look_ups
        seen = delivery.not_there + 1
        if seen < len(waits) and not answer.prepare_again:
            at = self.now + timedelta(seconds=waits[seen])
            return moves.ask_again(delivery, at, not_there=True)
        if answer.prepare_again:
            delivery = _unprepared(delivery)
        elif delivery.problem and delivery.problem.kind is ErrorKind.DUPLICATE:
            return self._refused_as_equal(delivery, delivery.problem)
        elif delivery.problem and delivery.problem.kind is ErrorKind.PERMANENT:
            return moves.refuse(delivery, delivery.problem)  # refused for good, and surely not out
        problem = Problem(ErrorKind.TRANSIENT, f"it did not go out: {answer.evidence}")
        sure = moves.retry_later(delivery, self.now, problem)
        if sure.attempts >= self.policy.attempts:
            return moves.refuse(delivery, problem)
        return sure

    def _refused_as_equal(self, delivery: Delivery, problem: Problem) -> Delivery:
        """The network says that the same is out, and does not show it. At the first try that is
        another post; later it may be this one, from a try before."""
        if delivery.attempts <= 1:
            return moves.refuse(delivery, problem)
        # Without the network's advice: to change the text would be wrong if it is out.
        unsure = replace(problem, kind=ErrorKind.UNCONFIRMED, hint=None)
        return moves.give_to_person(delivery, unsure)

    def _ask_again(self, delivery: Delivery, at: datetime, problem: Problem) -> Delivery:
        if delivery.sent_at and at - delivery.sent_at > DOUBT_ENDS:
            return moves.give_to_person(delivery, problem)
        return moves.ask_again(delivery, at, problem)


def _unprepared(delivery: Delivery) -> Delivery:
    """Without what was prepared for the step that could not be sent."""
    index = delivery.next_step
    if index is None:
        return delivery
    steps = list(delivery.steps)
    steps[index] = replace(steps[index], prepared=None, prepared_at=None)
    return replace(delivery, steps=tuple(steps))


def _timed(delivery: Delivery, started: datetime) -> Delivery:
    """Note when the first request of an attempt at the first part began."""
    if delivery.next_step != 0:
        return delivery
    return replace(delivery, **moves.timed(delivery, started))
