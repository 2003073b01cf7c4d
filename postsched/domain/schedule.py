"""When a post goes out: its schedule, and the instants it names.

A schedule is kept as the person said it, local time and zone; instants are worked out from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

ONCE = "once"


@dataclass(frozen=True, slots=True)
class Schedule:
    """`at` is a local time in `tz` ("2026-12-01T09:00:00", no offset), or an instant with an
    offset where the person gave one; None for a draft without a time. `rule` is what a
    recurrence adds."""

    kind: str = ONCE
    at: str | None = None
    tz: str = "UTC"
    rule: Mapping[str, Any] = field(default_factory=dict)

    def first(self) -> datetime | None:
        """The first occurrence, in UTC."""
        return None if self.at is None else datetime.fromisoformat(self.at).astimezone(UTC)


def once(instant: datetime, tz: str) -> Schedule:
    """A schedule of that one instant (aware), shown in the zone of that name."""
    from zoneinfo import ZoneInfo

    return Schedule(ONCE, instant.astimezone(ZoneInfo(tz)).isoformat(), tz)
