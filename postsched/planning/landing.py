"""Where an occurrence of a series lands when the rules of its zone have changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from postsched.domain.schedule import Schedule
from postsched.domain.zones import resolve
from postsched.planning.catching_up import newest

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

MICROSECOND = timedelta(microseconds=1)
FARTHEST = timedelta(hours=26)
"""More than the rules of a zone ever moved a local time."""


@dataclass(frozen=True, slots=True)
class Landing:
    """Finds it for a schedule: `zone` is by the rules of now, `before` those by which instants were
    worked out, as far as they are known; `mixed` if some may be by the rules of now already.

    It is the same local time. What runs by the clock's hours stays at its instant, if that is
    named still. Where some may have moved already, the sooner of the two is right: one that came
    before it is over, and has a row. And where the series names neither, it is the nearest.
    """

    schedule: Schedule
    zone: ZoneInfo
    before: Sequence[ZoneInfo]
    mixed: bool

    def of(
        self, occurrence: datetime, before: datetime, last: datetime, taken: Collection[datetime]
    ) -> datetime | None:
        """The instant (UTC) of an occurrence now, after that of the one `before` it, and none of
        those `taken`; None where the series names nothing near it any more.

        Only the same local time may lie before the `last` that is over: it is the next in line all
        the same, and due now. And only with that can the instant be taken by another local time,
        which was at it by the rules before, and is out: this one is right behind it then, for it is
        out neither way.
        """
        same = [same_time(occurrence, zone, self.zone) for zone in self.before]
        exact = not (self.mixed or self._by_clock)
        wanted = [occurrence, *same] if self._by_clock else [*same, occurrence]
        for at in sorted(wanted) if self.mixed else wanted:
            certain = exact and at in same
            if at <= (before if certain else max(before, last)) or not self._names(at):
                continue
            if at not in taken:
                return at
            if certain and len(same) == 1:
                return _behind(at, taken)
        return self._nearest(wanted[0], max(before, last), taken)

    @property
    def _by_clock(self) -> bool:
        from postsched.domain.recurrence.series import series

        return series(self.schedule).pattern.by_clock

    def _names(self, at: datetime) -> bool:
        from postsched.domain.recurrence import next_occurrence

        found = next_occurrence(self.schedule, at - MICROSECOND)
        return found is not None and found.instant == at

    def _nearest(
        self, at: datetime, last: datetime, taken: Collection[datetime]
    ) -> datetime | None:
        found = [
            one
            for one in (self._earlier(at, last, taken), self._later(max(at, last), taken))
            if one is not None and abs(one - at) <= FARTHEST
        ]
        return min(found, key=lambda one: abs(one - at), default=None)

    def _earlier(
        self, at: datetime, last: datetime, taken: Collection[datetime]
    ) -> datetime | None:
        since = max(last, at - FARTHEST)
        while at > since:
            found = newest(self.schedule, since, at)
            if found == since:
                return None
            if found not in taken:
                return found
            at = found - MICROSECOND
        return None

    def _later(self, after: datetime, taken: Collection[datetime]) -> datetime | None:
        from postsched.domain.recurrence import occurrences

        found = (one.instant for one in occurrences(self.schedule, after))
        return next((at for at in found if at not in taken), None)


def _behind(at: datetime, taken: Collection[datetime]) -> datetime:
    """The first instant after that one which is free."""
    while at in taken:
        at += MICROSECOND
    return at


def same_time(instant: datetime, before: ZoneInfo, zone: ZoneInfo) -> datetime:
    """The instant (UTC) of the local time, by the rules of now, that it was by those before."""
    return resolve(instant.astimezone(before).replace(tzinfo=None, fold=0), zone)[0]
