"""What is told of what went wrong, and in which ways; when telling is tried again.

The names of the events are those of the settings, and the `type` of what is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from postsched.domain.account import Account
from postsched.domain.delivery import Delivery, DeliveryStatus


class Event(StrEnum):
    """What may be told."""

    FAILED = "failed"
    MISSED = "missed"
    UNCONFIRMED = "unconfirmed"
    LOGIN_EXPIRING = "login_expiring"
    LOGIN_EXPIRED = "login_expired"
    PUBLISHED = "published"
    CANCELLED = "cancelled"
    TEST = "test"
    """Asked for by a person, and never a setting."""


class Way(StrEnum):
    """How it is told: to a program elsewhere, to a command, to a person by any of their targets;
    or to the address that a post names itself."""

    WEBHOOK = "webhook"
    COMMAND = "command"
    TARGETS = "targets"
    CALLBACK = "callback"


ENTRY = "[webhook]"
"""The name that the secret of webhooks and callbacks is kept by: no account can have it."""
GATHERED = frozenset({Way.COMMAND, Way.TARGETS})
"""The ways in which what happens to an account at once is told in one message."""
LOUD = frozenset(Event) - {Event.PUBLISHED, Event.CANCELLED, Event.TEST}
"""What people are told of unless they say otherwise."""
EVERY = frozenset(Event) - {Event.TEST}
USUAL = EVERY - {Event.CANCELLED}
"""What a webhook is told of unless the settings say otherwise: who cancels knows of it."""
OF_STATUS = {
    DeliveryStatus.FAILED: Event.FAILED,
    DeliveryStatus.MISSED: Event.MISSED,
    DeliveryStatus.UNCONFIRMED: Event.UNCONFIRMED,
    DeliveryStatus.PUBLISHED: Event.PUBLISHED,
    DeliveryStatus.CANCELLED: Event.CANCELLED,
}
"""The event that a delivery's new status is."""
WARNINGS = (timedelta(days=1), timedelta(days=7))
"""How long before its end a login is told of, each once."""


@dataclass(frozen=True, slots=True)
class Notify:
    """The settings of `[notify]`. Targets and addresses may hold secrets: they are in no repr."""

    targets: tuple[str, ...] = field(default=(), repr=False)
    command: tuple[str, ...] = ()
    events: frozenset[Event] = LOUD
    heartbeat_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Webhook:
    """The settings of `[webhook]`."""

    url: str | None = field(default=None, repr=False)
    events: frozenset[Event] = USUAL


def ways_of(notify: Notify, hook: Webhook) -> dict[Way, frozenset[Event]]:
    """The ways that are set, each with its events."""
    found = {}
    if hook.url:
        found[Way.WEBHOOK] = hook.events
    if notify.command:
        found[Way.COMMAND] = notify.events
    if notify.targets:
        found[Way.TARGETS] = notify.events
    return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are told in which ways. `document` makes plain JSON of a delivery or an
    account."""

    ways: Mapping[Way, frozenset[Event]]
    document: Callable[[Delivery | Account], dict[str, Any]]

    def ways_of(self, event: Event) -> list[Way]:
        """The ways in which an event is told."""
        return [way for way, events in self.ways.items() if event in events]


@dataclass(frozen=True, slots=True)
class Message:
    """What is told at once. `uid` is the same at every try; `at` is when it happened (UTC);
    `items` are the deliveries as documents, or the one account; `done` names the targets that
    have it already; `url` is the address of a callback."""

    uid: str
    event: Event
    at: datetime
    account: str
    items: Sequence[Mapping[str, Any]]
    done: tuple[str, ...] = ()
    url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Told:
    """What a try came to. `problem` says why it was not taken, None if it was. `final`: it never
    will be. `after`: how many seconds the receiver wants to be left alone. `done` names the targets
    that have it. `here`: what is wrong is wrong with us, not with the receiver. `answer` is the
    status code of its answer, `said` the beginning of what it says. No secret of ours is in it."""

    problem: str | None = None
    final: bool = False
    after: float = 0.0
    done: tuple[str, ...] = ()
    here: bool = False
    answer: int | None = None
    said: str = field(default="", compare=False)


FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=2)
GIVE_UP = timedelta(days=1)
"""How long after the first try no more is made."""


def next_try(
    attempts: int, first_at: datetime, now: datetime, told: Told, chance: float
) -> datetime | None:
    """When to try again after so many tries, of which the first was at `first_at`; None for never.

    The waits grow threefold, from five seconds to two hours; `chance` (0 to 1) adds up to a fifth.
    """
    if told.final or now - first_at >= GIVE_UP:
        return None
    wait = min(FIRST_WAIT * 3.0 ** min(attempts - 1, 20), LONGEST_WAIT)
    asked = timedelta(seconds=min(told.after, GIVE_UP.total_seconds()))
    return now + max(wait * (1 + chance / 5), asked)
