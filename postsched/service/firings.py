"""What fires: the rows of the queue as they are, and what series name beyond them.

A series has one row ahead for each account, the one that leads; what comes after it is worked out
here, in the order of time and no further than is asked for. Where a row was made ahead, it stands
for its occurrence.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, islice, pairwise, takewhile
from operator import attrgetter
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.firing import Firing
from postsched.domain.zones import resolve
from postsched.service.beyond import Crowd, Leader, Series, change_of, in_turn
from postsched.store import accounts as account_rows
from postsched.store import posts as post_rows
from postsched.store.firing_rows import SEEN, WAITING, FiringRows, Planned
from postsched.store.windows import Window

if TYPE_CHECKING:
    from postsched.planning.timing import Timing

NO_TIME = timedelta(0)
QUIET = timedelta(days=2)
"""How long quiet hours may hold something back, at either end of what it is spread over."""
MOST = 100_000
"""Firings that are listed at the most."""
DAWN, DUSK = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)
"""Instants before and after all others, which have a local time in every zone."""


@dataclass(frozen=True, slots=True)
class Day:
    """The firings of one local day: the first of them, and how many there are in all; `crowded`:
    there are more than that."""

    date: date
    firings: Sequence[Firing] = ()
    count: int = 0
    crowded: bool = False


@dataclass(frozen=True, slots=True)
class Outlook:
    """What there is to see at `now` (UTC). `timing` gives what says when an occurrence is due."""

    rows: FiringRows
    now: datetime
    timing: Callable[[], Timing]

    def coming(self, until: datetime | None = None, most: int = MOST) -> Iterator[Firing]:
        """What is still to go out, overdue ones first, up to but without `until`: at most so
        many."""
        window = Window(DAWN, DUSK if until is None else until)
        return self._merged(WAITING, window, most)

    def between(self, start: datetime, end: datetime, most: int = MOST) -> Iterator[Firing]:
        """What was or is to go out in that time, but what was cancelled."""
        return self._merged(SEEN, Window(start, end), most)

    def days(self, first: date, count: int, zone: ZoneInfo, most: int) -> list[Day]:
        """So many local days; of each the first `most` firings."""
        windows = day_windows(first, count, zone)
        whole = Window(windows[0].start, windows[-1].end)
        page = _Page(first, count, zone, most)
        self._add_rows(page, windows)
        for series in self._series():
            crowd = Crowd(max(whole.start, series.first), [window.end for window in windows])
            for firing in series.firings(whole.start, crowd):
                if firing.due_at >= whole.end:
                    break
                page.add(firing)
            page.crowded |= crowd.full
        return page.days()

    def _add_rows(self, page: _Page, windows: Sequence[Window]) -> None:
        """The first rows of each day; the rest are only counted."""
        counts = self.rows.counts(SEEN, windows)
        page.counts = [sum(each.values()) for each in counts]
        there = sorted({status for each in counts for status in each})
        for row in self.rows.firsts(there, windows, page.most):
            page.keep(self._plain(row))

    def _merged(
        self, statuses: Iterable[DeliveryStatus], window: Window, most: int
    ) -> Iterator[Firing]:
        rows = (self._plain(row) for row in self.rows.due(statuses, window, most))
        beyond = in_turn([(one.first, one.firings(window.start)) for one in self._series()])
        merged = heapq.merge(rows, beyond, key=attrgetter("order"))
        within = takewhile(lambda one: one.due_at < window.end, merged)
        return islice(within, most)

    def _series(self) -> list[Series]:
        leaders = sorted(self.rows.leading(), key=lambda one: one.firing.order[1:])
        if not leaders:
            return []
        taken: dict[tuple[int, int], set[datetime]] = defaultdict(set)
        for post, account, at in self.rows.made_ahead():
            taken[post, account].add(at)
        timed = self._timed(leaders)
        return [
            Series([timed(one, taken[post, one.firing.account_id]) for one in group], self.now)
            for post, group in groupby(leaders, key=lambda one: one.firing.post_id)
        ]

    def _timed(self, leaders: Sequence[Planned]) -> Callable[[Planned, set[datetime]], Leader]:
        """Makes leaders of rows: the same timing as that of what is planned says when they are
        due."""
        from postsched.planning.timing import turn_of

        timing, connection = self.timing(), self.rows.connection
        posts = post_rows.get(connection, sorted({one.firing.post_id for one in leaders}))
        ids = sorted({one.firing.account_id for one in leaders})
        accounts = account_rows.by_ids(connection, ids)

        def timed(row: Planned, taken: set[datetime]) -> Leader:
            post, account = posts[row.firing.post_id], accounts[row.firing.account_id]
            turn, quiet = turn_of(post, account), timing.pace(account).quiet
            reach = (
                (post.spread or NO_TIME) + (post.jitter or NO_TIME) + (QUIET if quiet else NO_TIME)
            )
            if not reach:
                return Leader(row, lambda at: at, reach, taken)
            return Leader(row, lambda at: timing.due(post, account, at, turn), reach, taken)

        return timed

    def _plain(self, row: Planned) -> Firing:
        """The firing of a row, with what a clock change did to its time, and whether a person has
        moved it."""
        firing = row.firing
        if change := change_of(row.schedule, firing.occurrence):
            firing = replace(firing, change=change)
        if row.shifted and firing.number is not None and not row.leads:
            (leader,) = [self._timed([row])(row, set())]
            return replace(firing, moved=leader.due(firing.occurrence) != firing.due_at)
        return firing


def day_windows(first: date, count: int, zone: ZoneInfo) -> list[Window]:
    """When so many local days begin and end."""
    dates = [first + timedelta(days=number) for number in range(count + 1)]
    starts = [resolve(datetime.combine(day, time.min), zone)[0] for day in dates]
    return [Window(start, end) for start, end in pairwise(starts)]


class _Page:
    """Gathers the firings of local days: the first `most` of each, and how many there are."""

    def __init__(self, first: date, count: int, zone: ZoneInfo, most: int) -> None:
        self.most = most
        self.counts = [0] * count
        self.crowded: set[int] = set()
        self._first, self._zone = first, zone
        self._firings: list[list[Firing]] = [[] for _ in range(count)]

    def add(self, firing: Firing) -> None:
        """One of those days."""
        self.counts[self.keep(firing)] += 1

    def keep(self, firing: Firing) -> int:
        """The same of one that is counted already; the number of its day."""
        number = (firing.due_at.astimezone(self._zone).date() - self._first).days
        kept = self._firings[number]
        kept.append(firing)
        if len(kept) >= 20 * self.most:
            kept[:] = self._earliest(kept)
        return number

    def days(self) -> list[Day]:
        """All of them."""
        return [
            Day(
                self._first + timedelta(days=number),
                self._earliest(self._firings[number]),
                count,
                number in self.crowded,
            )
            for number, count in enumerate(self.counts)
        ]

    def _earliest(self, firings: Sequence[Firing]) -> list[Firing]:
        return sorted(firings, key=attrgetter("order"))[: self.most]
