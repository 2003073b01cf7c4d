"""What becomes of what a series missed: nothing storms, and nothing is silent.

Judged is a row that leads and is taken up late. By the series' `catch_up` it stands for the newest
occurrence that has passed from then on, for the first that is within its grace, or for the next to
come. What is skipped by that is one line with its attempts, not a row each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile

from postsched.domain.post import CatchUp
from postsched.domain.schedule import Schedule

LATE = timedelta(minutes=1)
"""What is taken up sooner after it was due was not missed: it is only busy here."""
MOST_COUNTED = 1000
"""Skipped occurrences are counted up to so many: a year of a minutely series is not gone through.
"""
FIRST_LOOK, WIDER = timedelta(minutes=1), 8
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Choice:
    """The occurrence (UTC) that a row is to stand for, None where the series is over; and how many
    are `skipped`, up to MOST_COUNTED, of which `last` is the last."""

    at: datetime | None
    skipped: int = 0
    last: datetime | None = None

    @property
    def said(self) -> str:
        """How many were skipped, for people."""
        return f"{MOST_COUNTED:,} or more" if self.skipped >= MOST_COUNTED else f"{self.skipped:,}"


def choose(
    schedule: Schedule,
    occurrence: datetime,
    due: datetime,
    catch_up: CatchUp,
    grace: timedelta | None,
    now: datetime,
) -> Choice:
    """What the row of that occurrence, which was due then, is to stand for at `now`. `grace` is how
    late it may be, None for any."""
    if now - due <= LATE:
        return Choice(occurrence)
    if catch_up is CatchUp.NONE:
        at = next(_after(schedule, now), None)
    elif catch_up is CatchUp.NEWEST:
        at = newest(schedule, occurrence, now)
    else:
        at = _first_within(schedule, occurrence, due, grace, now)
    return _counted(schedule, occurrence, at, now)


def newest(schedule: Schedule, since: datetime, now: datetime) -> datetime:
    """The newest occurrence that has passed at `now`, `since` if there is none after it. It looks
    back step by step, so that it does not matter how many there are."""
    back = FIRST_LOOK
    while True:
        start = max(since, now - back)
        passed = deque(takewhile(lambda at: at <= now, _after(schedule, start)), 1)
        if passed or start == since:
            return passed[0] if passed else since
        back *= WIDER


def _first_within(
    schedule: Schedule,
    occurrence: datetime,
    due: datetime,
    grace: timedelta | None,
    now: datetime,
) -> datetime:
    """The first that is within its grace, each due as long after its occurrence as this one is; the
    newest, if none is."""
    if grace is None or now - due <= grace:
        return occurrence
    begun = now - grace - max(due - occurrence, timedelta(0))
    first = next(_after(schedule, max(occurrence, begun - MICROSECOND)), None)
    return first if first and first <= now else newest(schedule, occurrence, now)


def _counted(schedule: Schedule, first: datetime, at: datetime | None, now: datetime) -> Choice:
    """The choice, with what is skipped by it: from `first` on, up to it."""
    if at == first:
        return Choice(at)
    until = at or now + MICROSECOND
    rest = takewhile(lambda one: one < until, _after(schedule, first))
    skipped = [first, *islice(rest, MOST_COUNTED - 1)]
    return Choice(at, len(skipped), skipped[-1])


def _after(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    from postsched.domain.recurrence import occurrences

    return (one.instant for one in occurrences(schedule, after))
