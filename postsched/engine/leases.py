"""Claims prolonged while they are needed, and whether one lasts for a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import Connection

from postsched.engine.clock import Clock
from postsched.engine.hands import Hands, Held
from postsched.store import queue

T = TypeVar("T")
Submit = Callable[[Callable[[Connection], T]], Awaitable[T]]
MARGIN = 1.0
"""Seconds of a claim that must be left over after the time of one request."""


class Leases:
    """The claims of all that is in hand, prolonged every third of a `lease`. `submit` writes a
    change and answers once it is committed; `request_timeout` is seconds."""

    def __init__(
        self,
        hands: Hands,
        submit: Submit[set[tuple[int, str]]],
        clock: Clock,
        lease: timedelta,
        request_timeout: float,
    ) -> None:
        self._hands = hands
        self._submit = submit
        self._clock = clock
        self._lease = lease
        self._needed = request_timeout + min(MARGIN, lease.total_seconds() / 8)
        self._renew_at: float | None = None

    def lasts(self, held: Held) -> bool:
        """Whether a request may begin: by the wall clock, which a suspended laptop moves on, and by
        the monotonic one, which nobody can set back."""
        wall = (held.until - self._clock.now()).total_seconds()
        passed = self._clock.monotonic() - held.lease_from
        return min(wall, self._lease.total_seconds() - passed) >= self._needed

    def begin(self, asked_at: float) -> None:
        """Claims were made, asked for at that monotonic time."""
        if self._renew_at is None:
            self._renew_at = self._third_after(asked_at)

    def seconds_left(self) -> float:
        """Seconds to the next prolongation."""
        if self._renew_at is None:
            return float("inf")
        return self._renew_at - self._clock.monotonic()

    def take_due(self) -> list[Held]:
        """What is to be prolonged now, each time once."""
        if self.seconds_left() > 0:
            return []
        self._renew_at = None
        return self._hands.everything()

    async def renew(self, everything: Sequence[Held]) -> None:
        """Prolong those claims that still hold."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        until = now + self._lease
        held_by = {(held.id, held.token): held for held in everything}
        try:
            kept = await self._submit(lambda connection: queue.renew(connection, held_by, until))
            for one in kept & held_by.keys():
                held_by[one].until, held_by[one].lease_from = until, monotonic
        finally:
            if self._hands.everything():
                self._renew_at = self._third_after(monotonic)

    def _third_after(self, monotonic: float) -> float:
        return monotonic + self._lease.total_seconds() / 3
