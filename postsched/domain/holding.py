"""When a network is left alone: it says so, a quota is used up, or it does not answer.

The last is a circuit breaker: after TRIP calls in a row without an answer nothing is sent for a
while, longer each time; then one delivery at a time is a trial, until one is answered. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from postsched.domain.outcome import (
    Absent,
    Asked,
    ErrorKind,
    LetGo,
    NotKnown,
    Published,
    Retry,
    Sent,
)
from postsched.domain.retry import wished

TRIP = 3
"""After how many calls in a row without an answer nothing more is sent."""
FIRST, LONGEST = 30.0, 600.0
"""Seconds that nothing is sent the first time, and at the most; each time is twice the last."""
FARTHEST = timedelta(hours=25)
"""A network that says to wait for longer is asked again all the same: its clock may be wrong."""


class Why(StrEnum):
    """Why an account, or all accounts of a service, are left alone."""

    RATE_LIMIT = "rate_limit"
    """The network said so, or that no calls are left."""
    QUOTA = "quota"
    """As much went out as the network takes in that time."""
    BREAKER = "breaker"
    """It does not answer."""
    QUIET = "quiet_hours"
    """It is in its quiet hours."""
    SPACING = "min_spacing"
    """Something went out for it a moment ago, and what follows keeps its distance."""


OURS = frozenset({Why.QUOTA, Why.QUIET, Why.SPACING})
"""What we count ourselves when something is claimed: what is claimed already has its place."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What keeps an account or a service from being used, until when (UTC) and why. `failures` are
    the calls in a row without an answer, `opened` how often in a row nothing was sent for that:
    while it is not 0, one delivery at a time is let through once `until` is over."""

    until: datetime | None = None
    why: Why | None = None
    message: str | None = None
    failures: int = 0
    opened: int = 0


FREE = Hold()
"""Of what nothing is known that would keep it from being used."""


def is_silent(outcome: Sent | Asked) -> bool | None:
    """Whether the network gave no answer; None where that can't be told."""
    problem = getattr(outcome, "problem", None)
    if problem is not None and problem.silent:
        return True
    if isinstance(outcome, Published | Absent):
        return False
    if problem is None or (isinstance(outcome, LetGo) and outcome.here):
        return None
    unclear = problem.kind in (ErrorKind.TRANSIENT, ErrorKind.UNCONFIRMED)
    return None if unclear else False


def tried(hold: Hold, outcome: Sent | Asked, started: datetime, now: datetime, rng: Random) -> Hold:
    """The breaker after a call that began at `started`."""
    match is_silent(outcome):
        case None:
            return hold
        case False:
            if hold.failures or hold.opened:
                hold = replace(hold, failures=0, opened=0)
            return _without(hold, Why.BREAKER)
    if hold.opened and hold.until and started < hold.until:
        return hold  # it began before it was known that there is no answer
    failures = hold.failures + 1
    if failures < TRIP and not hold.opened:
        return replace(hold, failures=failures)
    seconds = min(FIRST * 2 ** min(hold.opened, 30), LONGEST) * rng.uniform(1.0, 1.2)
    opened = replace(hold, failures=failures, opened=hold.opened + 1)
    problem = getattr(outcome, "problem", None)
    message = f"no answer {failures} times in a row: {problem.message if problem else ''}"
    return later(opened, now + timedelta(seconds=seconds), Why.BREAKER, message)


def limited(hold: Hold, outcome: Sent | Asked, again: datetime | None, now: datetime) -> Hold:
    """The hold after what the network said of its limits; `again` is when the delivery itself is
    tried again."""
    if hold.why in OURS and not isinstance(outcome, Published):
        hold = _without(hold, hold.why)  # what did not go out takes no room: it is counted again
    if isinstance(outcome, Retry | NotKnown) and outcome.problem.kind is ErrorKind.RATE_LIMIT:
        until = outcome.until if isinstance(outcome, Retry) else None
        wish = wished(outcome.after, until, now) or again
        if wish is not None:
            hold = later(hold, min(wish, now + FARTHEST), Why.RATE_LIMIT, outcome.problem.message)
    for limit in getattr(outcome, "limits", ()):
        if limit.remaining <= 0 and limit.reset is not None and limit.reset > now:
            message = f"no {limit.name} left until then, says the network"
            hold = later(hold, min(limit.reset, now + FARTHEST), Why.RATE_LIMIT, message)
    return hold


def later(hold: Hold, until: datetime, why: Why, message: str) -> Hold:
    """Held until then, unless it is for longer already."""
    if hold.until is not None and hold.until >= until:
        return hold
    return replace(hold, until=until, why=why, message=message)


def _without(hold: Hold, why: Why | None) -> Hold:
    if hold.why is not why:
        return hold
    return replace(hold, until=None, why=None, message=None)
