"""When a post goes out: its schedule, as the person said it.

A schedule is kept as local time and zone; instants are worked out from it when they are needed, so
a changed tz database moves them. What a recurrence names is worked out in `domain.recurrence`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from postsched.domain.when import Moment

ONCE = "once"
DAILY, WEEKLY, MONTHLY, YEARLY = "daily", "weekly", "monthly", "yearly"
CRON, RRULE, SLOT = "cron", "rrule", "slot"
REPEATS = (DAILY, WEEKLY, MONTHLY, YEARLY)
"""The words of `--repeat`."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """`at` is a local time in `tz` ("2026-12-01T09:00:00", no offset), or an instant with an
    offset where the person gave one; None for a draft without a time. For a recurrence it is the
    first occurrence; with cron the time from which it runs.

    `rule` is what a recurrence adds, only what was given: `every`, `times`, `on`, `rule` (the text
    of cron or RRULE), `except`, `from`, `until`, `count`, `ends` (the last of the count).
    """

    kind: str = ONCE
    at: str | None = None
    tz: str = "UTC"
    rule: Mapping[str, Any] = field(default_factory=dict)

    @property
    def recurs(self) -> bool:
        """Whether it names more than one instant, as far as its kind says."""
        return self.kind not in (ONCE, SLOT)

    def first(self) -> datetime | None:
        """The instant of `at`, in UTC: when `once` goes out; where a recurrence begins."""
        if self.at is None:
            return None
        at = datetime.fromisoformat(self.at)
        return at.astimezone(UTC) if at.tzinfo else _resolved(at, self.tz)


def once(instant: datetime, tz: str) -> Schedule:
    """A schedule of that one instant (aware), shown in the zone of that name."""
    from zoneinfo import ZoneInfo

    return Schedule(ONCE, instant.astimezone(ZoneInfo(tz)).isoformat(), tz)


def once_at(moment: Moment, tz: str) -> Schedule:
    """A schedule of that one moment: of the local time, where one was named, so that it stays that
    when the rules of the zone change."""
    if moment.local is None:
        return once(moment.instant, tz)
    return Schedule(ONCE, moment.local.isoformat(), tz)


def _resolved(local: datetime, tz: str) -> datetime:
    from postsched.domain.zones import resolve, zone_named

    return resolve(local, zone_named(tz))[0]
