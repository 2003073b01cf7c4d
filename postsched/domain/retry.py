"""When to try again: exponential backoff with jitter, the network's own wish first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from postsched.domain.outcome import Retry

ASK_WAITS = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0)
"""Seconds before each further question while a network stays silent; the last one repeats."""
FARTHEST = timedelta(days=366)
"""A network that wishes for more than this is taken to wish for this."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`attempts` tries in all; the first wait is `delay`, each further one twice the last, up to
    `longest` (or `delay`, if that is more). Up to a fifth is added by chance, so that many
    failures don't return together."""

    attempts: int = 3
    delay: timedelta = timedelta(seconds=60)
    longest: timedelta = timedelta(hours=6)

    def next_try(self, attempt: int, outcome: Retry, now: datetime, rng: Random) -> datetime | None:
        """The instant of the next try after the `attempt`th (counted from 1), or None to give up.

        A wish of the network (`until`, else `after`) is never undercut.
        """
        if outcome.counts and attempt >= self.attempts:
            return None
        wish = wished(outcome.after, outcome.until, now)
        if wish is not None:
            return wish + timedelta(seconds=rng.uniform(0, 1))
        longest = max(self.longest, self.delay)
        doublings = min(max(0, attempt - 1), 60)
        seconds = min(self.delay.total_seconds() * 2**doublings, longest.total_seconds())
        return now + timedelta(seconds=seconds * rng.uniform(1.0, 1.2))


def wished(after: float | None, until: datetime | None, now: datetime) -> datetime | None:
    """The instant a network wishes for, from seconds or as it is; never past, never absurd. None
    where it wishes for nothing, or for no number."""
    if until is not None:
        return min(max(until, now), now + FARTHEST)
    if after is None or after != after:
        return None
    return now + timedelta(seconds=min(max(after, 0.0), FARTHEST.total_seconds()))


def next_question(asked: int, after: float | None, now: datetime, rng: Random) -> datetime:
    """When to ask the network again, having asked `asked` times; `after` is its own wish (s)."""
    wait = ASK_WAITS[min(asked, len(ASK_WAITS) - 1)]
    soon = now + timedelta(seconds=wait * rng.uniform(1.0, 1.2))
    return max(wished(after, None, now) or now, soon)
