"""Deliveries, attempts and keys. What may become of a delivery is in `moves`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from postsched.domain.outcome import Problem, Published

if TYPE_CHECKING:
    from postsched.domain.capabilities import Guarantee


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
    """One part, or the comment: what was made ready for it, when (UTC), where it is once it is
    out, whether a person has had it removed there since, and whether it may be out without being
    on record here: the database is a copy from before."""

    role: Role
    n: int
    prepared: Mapping[str, Any] | None = None
    published: Published | None = None
    prepared_at: datetime | None = None
    removed: bool = False
    doubtful: bool = False


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

    `number` is that of the occurrence in its series, from 1; None where there is none. The one that
    `leads` plans the next of its series for its account as soon as it is taken up. `wording` is
    what this one says in place of the post's text: `{parts}`, a list of final texts.
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
    number: int | None = None
    leads: bool = False
    wording: Mapping[str, Any] | None = None

    @property
    def out(self) -> bool:
        """Whether at least one part is out."""
        return any(step.published for step in self.steps)

    @property
    def removed(self) -> bool:
        """Whether all that was out has been removed."""
        return self.out and all(step.removed for step in self.steps if step.published)

    @property
    def next_step(self) -> int | None:
        """The index of the first step that is not out, None if all are."""
        for index, step in enumerate(self.steps):
            if not step.published:
                return index
        return None

    @property
    def remote_id(self) -> str | None:
        """The network's id of the first part."""
        return (first.remote_id or None) if (first := self._first) else None

    @property
    def url(self) -> str | None:
        """The permalink of the first part, while it is there."""
        gone = self.steps and self.steps[0].removed
        return first.url if (first := self._first) and not gone else None

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


def guaranteed(delivery: Delivery, guarantee: Guarantee) -> Guarantee:
    """What of an account's guarantee holds for the step that is next."""
    index = delivery.next_step
    comment = index is not None and delivery.steps[index].role is Role.COMMENT
    return guarantee.of_comments if comment else guarantee
