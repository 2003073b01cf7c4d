"""The state machine of deliveries: the only code that changes a status.

Each move is one function that takes a delivery and returns the changed one. `MOVES` is the table
of what is allowed; a move that is not in it is a programming error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from postsched.domain.capabilities import Guarantee
from postsched.domain.delivery import Claim, Delivery, DeliveryStatus, Step, guaranteed
from postsched.domain.outcome import ErrorKind, Problem, Published

S = DeliveryStatus
MOVES: dict[str, tuple[frozenset[DeliveryStatus], frozenset[DeliveryStatus]]] = {}
"""Name of a move -> (statuses it may start from, statuses it may lead to)."""

SURE: dict[str, Any] = {"sent_at": None, "asked": 0, "not_there": 0}
"""The columns of a doubt, once there is none."""

FREED: dict[str, Any] = {"claim": None, "came_from": None}
"""The columns of a claim, once there is none."""

P = ParamSpec("P")


def move(
    *starts: S, to: tuple[S, ...]
) -> Callable[
    [Callable[Concatenate[Delivery, P], Delivery]], Callable[Concatenate[Delivery, P], Delivery]
]:
    """Enter a function into the table of moves, and hold it to its row."""

    def enter(
        function: Callable[Concatenate[Delivery, P], Delivery],
    ) -> Callable[Concatenate[Delivery, P], Delivery]:
        name = function.__name__
        MOVES[name] = (frozenset(starts), frozenset(to))

        @wraps(function)
        def checked(delivery: Delivery, /, *args: P.args, **kwargs: P.kwargs) -> Delivery:
            changed = function(delivery, *args, **kwargs)
            assert delivery.status in starts, f"{name} from {delivery.status}"
            assert changed.status in to, f"{name} led to {changed.status}"
            return changed

        return checked

    return enter


@move(S.SCHEDULED, S.RETRYING, to=(S.PUBLISHING,))
def claim(delivery: Delivery, held: Claim) -> Delivery:
    """A worker takes it to publish it; this counts an attempt."""
    return replace(
        delivery,
        status=S.PUBLISHING,
        came_from=delivery.status,
        claim=held,
        attempts=delivery.attempts + 1,
    )


@move(S.CONFIRMING, to=(S.CONFIRMING,))
def claim_to_ask(delivery: Delivery, held: Claim) -> Delivery:
    """A worker takes it to ask the network; this counts no attempt."""
    return replace(delivery, claim=held)


@move(S.PUBLISHING, to=(S.SCHEDULED, S.RETRYING))
def let_go(delivery: Delivery, problem: Problem | None = None) -> Delivery:
    """Nothing was sent: as before the claim, with the attempt given back."""
    return replace(
        _released(delivery, delivery.came_from or S.SCHEDULED),
        attempts=max(0, delivery.attempts - 1),
        next_at=delivery.due_at,
        sent_at=None,
        problem=problem or delivery.problem,
    )


@move(S.PUBLISHING, to=(S.RETRYING,))
def rate_limited(delivery: Delivery, at: datetime, problem: Problem) -> Delivery:
    """The network is full until `at`; no attempt is counted."""
    return replace(
        _released(delivery, S.RETRYING),
        attempts=max(0, delivery.attempts - 1),
        due_at=at,
        next_at=at,
        sent_at=None,
        problem=problem,
    )


@move(S.PUBLISHING, S.CONFIRMING, to=(S.PUBLISHING, S.PUBLISHED, S.CONFIRMING))
def step_out(
    delivery: Delivery, published: Published, now: datetime, started: datetime | None = None
) -> Delivery:
    """One part, or the comment, is out: published if it was the last, else on to the next, which is
    asked for first if it may be out too. `started` is when its request began, where it was sent
    just now."""
    steps = _with_one_more(delivery, published)
    when = timed(delivery, started) if started and delivery.next_step == 0 else {}
    if all(step.published for step in steps):
        return replace(
            delivery, steps=steps, **SURE, problem=None, **FREED, status=S.PUBLISHED,
            next_at=None, published_at=now, **when,
        )  # fmt: skip
    changed = replace(delivery, steps=steps, **SURE, problem=None, status=S.PUBLISHING, **when)
    return _doubted(changed, delivery, S.CONFIRMING, now) if _next_is_doubtful(changed) else changed


@move(S.PUBLISHING, S.CONFIRMING, to=(S.FAILED,))
def refuse(delivery: Delivery, problem: Problem) -> Delivery:
    """The network refused it for good, or the tries are used up."""
    return replace(_sure(_released(delivery, S.FAILED)), next_at=None, problem=problem)


@move(S.PUBLISHING, S.CONFIRMING, to=(S.RETRYING,))
def retry_later(delivery: Delivery, at: datetime, problem: Problem) -> Delivery:
    """It surely did not go out; try again at `at`."""
    waiting = _sure(_released(delivery, S.RETRYING))
    return replace(waiting, due_at=at, next_at=at, problem=problem)


@move(S.PUBLISHING, to=(S.CONFIRMING, S.UNCONFIRMED))
def lose(
    delivery: Delivery, guarantee: Guarantee, at: datetime, sent_at: datetime, problem: Problem
) -> Delivery:
    """The answer is lost: the network is asked at `at`, or a person where it can't be."""
    doubt = replace(delivery, sent_at=delivery.sent_at or sent_at, problem=problem)
    if guarantee.settles:
        return replace(_released(doubt, S.CONFIRMING), next_at=at)
    return replace(_released(doubt, S.UNCONFIRMED), next_at=None)


@move(S.CONFIRMING, to=(S.CONFIRMING,))
def ask_again(
    delivery: Delivery, at: datetime, problem: Problem | None = None, *, not_there: bool = False
) -> Delivery:
    """Not known yet: ask again at `at`. `not_there`: this time the network had nothing."""
    return replace(
        _released(delivery, S.CONFIRMING),
        next_at=at,
        asked=delivery.asked + (not not_there),
        not_there=delivery.not_there + not_there,
        problem=problem or delivery.problem,
    )


@move(S.CONFIRMING, to=(S.UNCONFIRMED,))
def give_to_person(delivery: Delivery, problem: Problem) -> Delivery:
    """The network can't tell: a person decides."""
    return replace(_released(delivery, S.UNCONFIRMED), next_at=None, problem=problem)


@move(S.PUBLISHING, S.CONFIRMING, to=(S.SCHEDULED, S.RETRYING, S.CONFIRMING, S.UNCONFIRMED))
def claim_ran_out(delivery: Delivery, guarantee: Guarantee, now: datetime) -> Delivery:
    """Its worker died or fell silent. What was not prepared was not sent, where that is put on
    record first. Else it counts as sent at the claim where a network can settle that; elsewhere
    `sent_at` tells, for it is written right before the send."""
    if delivery.status is S.CONFIRMING:
        return replace(_released(delivery, S.CONFIRMING), next_at=now)
    sent_at = delivery.sent_at
    guarantee = guaranteed(delivery, guarantee)
    index = delivery.next_step
    unprepared = index is None or delivery.steps[index].prepared is None
    if unprepared and not guarantee.prepares_alike:
        return let_go(delivery)
    if guarantee.settles and delivery.claim:
        sent_at = sent_at or delivery.claim.at
    if sent_at is None:
        return let_go(delivery)
    # Not before it is due: what was claimed ahead may be sent again as the answer.
    return lose(delivery, guarantee, max(now, delivery.due_at), sent_at, INTERRUPTED)


@move(
    S.SCHEDULED, S.RETRYING, S.PUBLISHING, S.CONFIRMING, S.UNCONFIRMED,
    to=(S.CONFIRMING, S.UNCONFIRMED),
)  # fmt: skip
def doubt(delivery: Delivery, guarantee: Guarantee, now: datetime) -> Delivery:
    """The database is a copy from before, and all that was to be sent may have been, step by step:
    the network is asked, or a person where it can't be."""
    steps = tuple(replace(step, doubtful=not step.published) for step in delivery.steps)
    changed = replace(delivery, steps=steps)
    if delivery.status is S.UNCONFIRMED:
        return changed
    asked = guaranteed(delivery, guarantee).settles_anew
    known = delivery.problem if delivery.status is S.CONFIRMING else None
    status = S.CONFIRMING if asked else S.UNCONFIRMED
    return replace(_doubted(changed, delivery, status, now), problem=known or REWOUND)


REWOUND = Problem(
    ErrorKind.UNCONFIRMED,
    "the database was put back to an earlier state, and this may have gone out since",
    hint="Look at the account, then: postsched resolve ID published|absent",
)
INTERRUPTED = Problem(
    ErrorKind.UNCONFIRMED,
    "the worker that was sending it ended before it could record the answer",
)


@move(S.SCHEDULED, S.RETRYING, to=(S.MISSED,))
def miss(delivery: Delivery) -> Delivery:
    """It is past its grace."""
    return replace(_released(delivery, S.MISSED), next_at=None)


@move(S.SCHEDULED, S.RETRYING, S.FAILED, S.MISSED, to=(S.CANCELLED,))
def cancel(delivery: Delivery) -> Delivery:
    """A person does not want it any more."""
    return replace(_released(delivery, S.CANCELLED), next_at=None)


@move(S.FAILED, S.MISSED, S.CANCELLED, to=(S.SCHEDULED,))
def retry(delivery: Delivery, now: datetime) -> Delivery:
    """A person wants it after all: now, or when it was due if that is still to come. It goes on
    at the first part that is not out, and has its tries again."""
    return _again(delivery, now)


@move(S.UNCONFIRMED, to=(S.PUBLISHED, S.SCHEDULED, S.UNCONFIRMED))
def resolve_published(delivery: Delivery, published: Published, now: datetime) -> Delivery:
    """A person says that the part in doubt is out; the next may be as well."""
    changed = _one_more_out(delivery, published)
    if _next_is_doubtful(changed):
        return replace(_doubted(changed, delivery, S.UNCONFIRMED, now), problem=REWOUND)
    if changed.next_step is not None:
        return _again(changed, now)
    return replace(changed, status=S.PUBLISHED, published_at=now)


@move(S.UNCONFIRMED, to=(S.SCHEDULED,))
def resolve_absent(delivery: Delivery, now: datetime) -> Delivery:
    """A person says that the part in doubt is not out."""
    return _again(_sure(delivery), now)


def timed(delivery: Delivery, started: datetime) -> dict[str, Any]:
    """The columns of when the first request of an attempt at the first part began."""
    return {"started_at": started, "lateness": started - delivery.due_at}


def _one_more_out(delivery: Delivery, published: Published) -> Delivery:
    return replace(delivery, steps=_with_one_more(delivery, published), **SURE, problem=None)


def _with_one_more(delivery: Delivery, published: Published) -> tuple[Step, ...]:
    index = delivery.next_step
    assert index is not None
    steps = list(delivery.steps)
    steps[index] = replace(steps[index], published=published, doubtful=False)
    return tuple(steps)


def _sure(delivery: Delivery) -> Delivery:
    """The next step surely is not out, and so none after it."""
    steps = tuple(replace(step, doubtful=False) for step in delivery.steps)
    return replace(delivery, steps=steps, **SURE)


def _next_is_doubtful(delivery: Delivery) -> bool:
    index = delivery.next_step
    return index is not None and delivery.steps[index].doubtful


def _doubted(delivery: Delivery, before: Delivery, status: S, now: datetime) -> Delivery:
    """Its next step may have been sent, as soon as it was due or the one before in doubt was."""
    at = max(now, delivery.due_at) if status is S.CONFIRMING else None
    sent_at = before.sent_at or (before.claim.at if before.claim else before.due_at)
    return replace(_released(delivery, status), next_at=at, sent_at=sent_at)


def _again(delivery: Delivery, now: datetime) -> Delivery:
    due = max(delivery.occurrence, now)
    return replace(
        delivery,
        status=S.SCHEDULED, due_at=due, next_at=due, attempts=0, sent_at=None,
        grace_until=None, problem=None, started_at=None, lateness=None,
    )  # fmt: skip


def _released(delivery: Delivery, status: S) -> Delivery:
    return replace(delivery, status=status, **FREED)
