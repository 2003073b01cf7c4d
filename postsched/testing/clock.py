"""A clock that goes only when a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FakeClock:
    """`now()` is aware UTC, `monotonic()` seconds; both stand still until `advance`.

    `set_wall` moves only the wall clock, as a person who sets it does; `suspend` moves the wall
    clock on while the monotonic one stands, as a laptop that sleeps does.
    """

    def __init__(self, now: datetime = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)) -> None:
        self._now = now.astimezone(UTC)
        self._monotonic = 1000.0

    def now(self) -> datetime:
        """The instant it stands at, UTC."""
        return self._now

    def adjust(self, database: object) -> None:
        """It is nobody else's."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return self._monotonic

    def advance(self, by: timedelta | float) -> datetime:
        """Move both clocks on, by a timedelta or seconds; returns the new instant."""
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        assert step >= timedelta(0), "a clock goes forward; set_wall may go back"
        self._monotonic += step.total_seconds()
        self._now += step
        return self._now

    def set_wall(self, now: datetime) -> None:
        """Set the wall clock, forward or back."""
        self._now = now.astimezone(UTC)

    def suspend(self, for_: timedelta | float) -> datetime:
        """Sleep: wall time passes, monotonic time does not."""
        self._now += for_ if isinstance(for_, timedelta) else timedelta(seconds=for_)
        return self._now
