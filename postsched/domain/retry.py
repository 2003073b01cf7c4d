"""When to try again: exponential backoff with jitter, the network's own wish first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from postsched.domain.outcome import Retry

ASK_WAITS = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0)
"""Seconds before each further question while a network stays silent; the last one repeats."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`attempts` tries in all; the first wait is `delay`, each further one twice the last, up to
    `longest`. Up to a fifth is added by chance, so that many failures don't return together."""

    attempts: int = 3
    delay: timedelta = timedelta(seconds=60)
    longest: timedelta = timedelta(hours=6)

    def next_try(self, attempt: int, outcome: Retry, now: datetime, rng: Random) -> datetime | None:
        """The instant of the next try after the `attempt`th (counted from 1), or None to give up.

        A wish of the network (`until`, else `after`) is never undercut.
        """
        if outcome.counts and attempt >= self.attempts:
            return None
        wish = outcome.until
        if wish is None and outcome.after is not None:
            wish = now + timedelta(seconds=outcome.after)
        if wish is not None:
            return max(wish, now) + timedelta(seconds=rng.uniform(0, 1))
        wait = min(self.delay * (1 << min(max(0, attempt - 1), 30)), self.longest)
        return now + wait * rng.uniform(1.0, 1.2)


def next_question(asked: int, after: float | None, now: datetime, rng: Random) -> datetime:
    """When to ask the network again, having asked `asked` times; `after` is its own wish (s)."""
    wait = ASK_WAITS[min(asked, len(ASK_WAITS) - 1)]
    return now + timedelta(seconds=max(after or 0.0, wait * rng.uniform(1.0, 1.2)))
