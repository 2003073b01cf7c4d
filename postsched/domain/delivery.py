"""Deliveries, attempts and keys, and the state machine: the only code that changes a status.

Each move is one function that takes a delivery and returns the changed one. `MOVES` is the table
of what is allowed; a move that is not in it is a programming error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from postsched.domain.capabilities import Guarantee
from postsched.domain.outcome import ErrorKind, Problem, Published


class DeliveryStatus(StrEnum):
    """Where a delivery is in its life."""

    SCHEDULED = "scheduled"
    PUBLISHING = "publishing"
    CONFIRMING = "confirming"
    RETRYING = "retrying"
    PUBLISHED = "published"
    FAILED = "failed"
    MISSED = "missed"
    UNCONFIRMED = "unconfirmed"
    CANCELLED = "cancelled"


S = DeliveryStatus
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
WAITING = frozenset({S.SCHEDULED, S.RETRYING, S.CONFIRMING})
"""The statuses in which a delivery has a next instant and can be claimed."""
IN_DOUBT = frozenset({S.PUBLISHING, S.CONFIRMING, S.UNCONFIRMED})
"""The statuses in which it may be going out, or be out: no person may change it."""


class Role(StrEnum):
    """What a step sends."""

    PART = "part"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Step:
    """One part, or the comment: what was made ready for it, when (UTC), and where it is once it
    is out."""

    role: Role
    n: int
    prepared: Mapping[str, Any] | None = None
    published: Published | None = None
    prepared_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """Who holds a delivery, and until when (UTC). Only the holder of the token may settle it."""

    token: str
    worker: int
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One occurrence of a post to one account. Instants are UTC.

    `due_at` is when to publish next; `next_at` is when a worker is to take it up (the same, or
    when the network is to be asked), None if nothing is to be done. `sent_at` is when the current
    step may first have been sent, None if surely nothing of it was. `asked` counts the questions
    in this doubt that were not answered, `not_there` those answered "not there".
    """

    id: int
    post_id: int
    account_id: int
    account: str
    platform: str
    occurrence: datetime
    due_at: datetime
    next_at: datetime | None
    status: DeliveryStatus
    attempts: int = 0
    revision: int = 0
    grace_until: datetime | None = None
    came_from: DeliveryStatus | None = None
    claim: Claim | None = None
    sent_at: datetime | None = None
    asked: int = 0
    not_there: int = 0
    steps: tuple[Step, ...] = ()
    started_at: datetime | None = None
    lateness: timedelta | None = None
    published_at: datetime | None = None
    problem: Problem | None = None

    @property
    def out(self) -> bool:
        """Whether at least one part is out."""
        return any(step.published for step in self.steps)

    @property
    def next_step(self) -> int | None:
        """The index of the first step that is not out, None if all are."""
        return next((i for i, step in enumerate(self.steps) if not step.published), None)

    @property
    def remote_id(self) -> str | None:
        """The network's id of the first part."""
        return first.remote_id if (first := self._first) else None

    @property
    def url(self) -> str | None:
        """The permalink of the first part."""
        return first.url if (first := self._first) else None

    @property
    def _first(self) -> Published | None:
        return self.steps[0].published if self.steps else None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a delivery, with its evidence. `step` is "part 1" or "comment"; `action` is
    publish, ask, prepare, expire or resolve."""

    n: int
    started_at: datetime
    finished_at: datetime
    action: str
    step: str
    outcome: str
    problem: Problem | None = None
    evidence: str | None = None


def delivery_key(
    post_uid: str, account_uid: str, occurrence: datetime, revision: int, step: Step
) -> str:
    """The key of one part: 64 hex digits, the same for every attempt, in every process, and after
    a restored backup."""
    micros = (occurrence - EPOCH) // MICROSECOND  # exact: a float would make two of them equal
    text = f"{post_uid}/{account_uid}/{micros}/{revision}/{step.role}/{step.n}"
    return hashlib.sha256(text.encode()).hexdigest()


MOVES: dict[str, tuple[frozenset[DeliveryStatus], frozenset[DeliveryStatus]]] = {}
"""Name of a move -> (statuses it may start from, statuses it may lead to)."""

SURE: dict[str, Any] = {"sent_at": None, "asked": 0, "not_there": 0}
"""The columns of a doubt, once there is none."""

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
def let_go(
    delivery: Delivery, at: datetime | None = None, problem: Problem | None = None
) -> Delivery:
    """Nothing was sent: as before the claim, with the attempt given back. `at` puts it off."""
    return replace(
        _released(delivery, delivery.came_from or S.SCHEDULED),
        attempts=max(0, delivery.attempts - 1),
        next_at=max(at, delivery.due_at) if at else delivery.due_at,
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


@move(S.PUBLISHING, S.CONFIRMING, to=(S.PUBLISHING, S.PUBLISHED))
def step_out(delivery: Delivery, published: Published, now: datetime) -> Delivery:
    """One part, or the comment, is out: published if it was the last, else on to the next."""
    index = delivery.next_step
    assert index is not None
    steps = list(delivery.steps)
    steps[index] = replace(steps[index], published=published)
    changed = replace(
        delivery,
        steps=tuple(steps),
        sent_at=None,
        asked=0,
        not_there=0,
        status=S.PUBLISHING,
        problem=None,
    )
    if changed.next_step is not None:
        return changed
    return replace(_released(changed, S.PUBLISHED), next_at=None, published_at=now)


@move(S.PUBLISHING, S.CONFIRMING, to=(S.FAILED,))
def refuse(delivery: Delivery, problem: Problem) -> Delivery:
    """The network refused it for good, or the tries are used up."""
    return replace(
        _released(delivery, S.FAILED),
        next_at=None,
        sent_at=None,
        asked=0,
        not_there=0,
        problem=problem,
    )


@move(S.PUBLISHING, S.CONFIRMING, to=(S.RETRYING,))
def retry_later(delivery: Delivery, at: datetime, problem: Problem) -> Delivery:
    """It surely did not go out; try again at `at`."""
    return replace(
        _released(delivery, S.RETRYING),
        due_at=at, next_at=at, **SURE, problem=problem,
    )  # fmt: skip


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


@move(S.UNCONFIRMED, to=(S.PUBLISHED, S.SCHEDULED))
def resolve_published(delivery: Delivery, published: Published, now: datetime) -> Delivery:
    """A person says that the part in doubt is out."""
    index = delivery.next_step
    assert index is not None
    steps = list(delivery.steps)
    steps[index] = replace(steps[index], published=published)
    changed = replace(delivery, steps=tuple(steps), **SURE, problem=None)
    if changed.next_step is not None:
        return _again(changed, now)
    return replace(changed, status=S.PUBLISHED, published_at=now)


@move(S.UNCONFIRMED, to=(S.SCHEDULED,))
def resolve_absent(delivery: Delivery, now: datetime) -> Delivery:
    """A person says that the part in doubt is not out."""
    return _again(replace(delivery, **SURE), now)


def _again(delivery: Delivery, now: datetime) -> Delivery:
    due = max(delivery.occurrence, now)
    return replace(
        delivery,
        status=S.SCHEDULED, due_at=due, next_at=due, attempts=0, sent_at=None,
        grace_until=None, problem=None, started_at=None, lateness=None,
    )  # fmt: skip


def _released(delivery: Delivery, status: S) -> Delivery:
    return replace(delivery, status=status, claim=None, came_from=None)
