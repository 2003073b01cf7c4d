"""A series: a pattern within its bounds, and the occurrences that it names.

The bounds are `from` and `until` (local days, both included), `count` and its worked-out `ends`,
and exceptions (local days or times). All of them are of the local times that were meant, whatever
a clock change made of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from postsched.domain.recurrence.cron import cron
from postsched.domain.recurrence.days import LAST_DAY
from postsched.domain.recurrence.expansion import Expansion
from postsched.domain.recurrence.occurrence import Occurrence, in_order, read, where_to_begin
from postsched.domain.recurrence.pattern import Pattern, calendar
from postsched.domain.recurrence.rule import rule
from postsched.domain.schedule import CRON, ONCE, REPEATS, RRULE, Schedule
from postsched.domain.zones import zone_named

MOST_COUNTED = 2_000
"""Up to how many occurrences to come are counted by `left`, for lists are to come at once."""


@dataclass(frozen=True, slots=True)
class Series:
    """A pattern within its bounds. `begin` and `end` are local times, `ends` an instant (UTC), all
    included. `floor` is given where it begins at an instant, not at a local time; `floor_named` if
    that is its first occurrence."""

    zone: ZoneInfo
    pattern: Pattern
    begin: datetime
    end: datetime
    floor: Occurrence | None = None
    floor_named: bool = False
    ends: datetime | None = None
    count: int | None = None
    except_days: frozenset[date] = frozenset()
    except_times: frozenset[datetime] = frozenset()

    def occurrences(self, after: datetime | None) -> Iterator[Occurrence]:
        """The occurrences after `after`, but the exceptions."""
        for one in self.named(after):
            if one.local.date() not in self.except_days and one.local not in self.except_times:
                yield one

    def named(self, after: datetime | None) -> Iterator[Occurrence]:
        """The occurrences after `after`, exceptions too."""
        last = self.last_counted() if self.count and not self.ends else None
        ends = last.instant if last else self.ends
        for one in self._bounded(after):
            if ends is not None and one.instant > ends:
                return
            yield one

    def last_counted(self) -> Occurrence | None:
        """The last of the count, or of all if there are fewer; None if there is none."""
        assert self.count is not None
        last = deque(islice(self._bounded(None), self.count), 1)
        return last[0] if last else None

    def _bounded(self, after: datetime | None) -> Iterator[Occurrence]:
        if after is not None and after.year > LAST_DAY.year:
            return
        for one in self._floored(self._start(after)):
            if after is None or one.instant > after:
                yield one

    def _floored(self, start: datetime) -> Iterator[Occurrence]:
        times = takewhile(self._by_the_end, self.pattern.times(start))
        found = in_order(times, self.zone, by_clock=self.pattern.by_clock)
        floor = self.floor
        if floor is None:
            yield from found
            return
        if self.floor_named:
            yield floor
        for one in found:
            at_floor = one.instant == floor.instant and not self.floor_named
            if one.instant > floor.instant or at_floor:
                yield one

    def _start(self, after: datetime | None) -> datetime:
        if after is None or after.year < self.begin.year - 1:
            return self.begin
        return max(self.begin, where_to_begin(after, self.zone))

    def _by_the_end(self, local: datetime) -> bool:
        return local <= self.end


def series(schedule: Schedule) -> Series:
    """The series of a recurrence. Raises InvalidInput for a zone that is not known here."""
    zone, said = zone_named(schedule.tz), schedule.rule
    assert schedule.at is not None
    first = read(schedule.at, zone)
    pattern = _pattern(schedule, first.local, zone)
    days, times = _exceptions(schedule, zone)
    begin, ends = first.local, said.get("ends")
    if from_ := said.get("from"):
        begin = max(begin, datetime.combine(date.fromisoformat(from_), time.min))
    until = min(date.fromisoformat(said["until"]), LAST_DAY) if said.get("until") else LAST_DAY
    return Series(
        zone=zone,
        pattern=pattern,
        begin=begin,
        end=datetime.combine(until, time.max),
        floor=first if datetime.fromisoformat(schedule.at).tzinfo else None,
        floor_named=pattern.first == first.local,
        ends=read(ends, zone).instant if ends else None,
        count=said.get("count"),
        except_days=days,
        except_times=times,
    )


def occurrences(schedule: Schedule, after: datetime | None = None) -> Iterator[Occurrence]:
    """The occurrences, ascending by instant, strictly after `after` (None: from the beginning);
    lazily, endless for an endless series. The first costs the same however far from the beginning.

    Of `once` at most its one; of a slot, or without a time, none.
    """
    if schedule.at is None or not (schedule.recurs or schedule.kind == ONCE):
        return
    if schedule.recurs:
        yield from series(schedule).occurrences(after)
        return
    one = read(schedule.at, zone_named(schedule.tz))
    if after is None or one.instant > after:
        yield one


def next_occurrence(schedule: Schedule, after: datetime | None) -> Occurrence | None:
    """The first occurrence strictly after `after`; None if there is none."""
    return next(occurrences(schedule, after), None)


def is_endless(schedule: Schedule) -> bool:
    """Whether it goes on for ever: neither `until` nor `count`, nor an end in its rule."""
    if not schedule.recurs or schedule.rule.get("until") or schedule.rule.get("count"):
        return False
    return series(schedule).pattern.endless


def left(schedule: Schedule, after: datetime | None) -> int | None:
    """How many are to come after `after`; None for an endless one, and for one without `count` if
    they are more than MOST_COUNTED."""
    if is_endless(schedule):
        return None
    most = schedule.rule.get("count") or MOST_COUNTED
    counted = sum(1 for _ in islice(occurrences(schedule, after), most + 1))
    return counted if counted <= most else None


def counted(schedule: Schedule, after: datetime) -> int:
    """How many of a series that ends its `count`, or the COUNT of its rule, still counts after
    `after`: its exceptions too, which use it up."""
    return sum(1 for _ in series(schedule).named(after))


def _pattern(schedule: Schedule, first: datetime, zone: ZoneInfo) -> Pattern:
    if schedule.kind in REPEATS:
        return calendar(schedule, first)
    if schedule.kind == CRON:
        return cron(schedule.rule["rule"])
    said = rule(schedule.rule["rule"])
    return Expansion(said, said.start.local(zone) if said.start else first, zone)


def _exceptions(schedule: Schedule, zone: ZoneInfo) -> tuple[frozenset[date], frozenset[datetime]]:
    """Whole days, and local times: of `except`, and of EXDATE."""
    texts = schedule.rule.get("except") or ()
    days = {date.fromisoformat(text) for text in texts if len(text) == len("2026-12-24")}
    times = {datetime.fromisoformat(text) for text in texts if len(text) > len("2026-12-24")}
    if schedule.kind == RRULE:
        stamps = rule(schedule.rule["rule"]).left_out
        days |= {stamp.time.date() for stamp in stamps if stamp.day}
        times |= {stamp.local(zone) for stamp in stamps if not stamp.day}
    return frozenset(days), frozenset(times)
