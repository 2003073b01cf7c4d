"""Daily, weekly, monthly and yearly recurrence against an oracle: no occurrence lost, doubled or
shifted, in any zone, through all clock changes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from random import Random
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postsched.domain.recurrence import Occurrence, left, next_occurrence, occurrences
from postsched.domain.recurrence.series import MOST_COUNTED
from postsched.domain.schedule import DAILY, MONTHLY, WEEKLY, YEARLY, Schedule
from postsched.domain.zones import ClockChange
from tests.domain.recurrence import oracle

ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Australia/Lord_Howe",
    "Pacific/Apia", "Africa/Casablanca", "Antarctica/Troll", "Asia/Gaza",
)  # fmt: skip
ALL_ZONES = sorted(available_timezones())
CLOCK = ("00:00", "00:30", "01:45", "02:30", "03:15", "23:59:30")
"""Times of day at which clocks are changed somewhere."""


@dataclass(frozen=True)
class Case:
    """A pattern: how it is kept, and the same for the oracle."""

    kind: str
    every: int = 1
    on: tuple[str, ...] = ()
    times: tuple[str, ...] = ("02:30",)

    def schedule(self, first: datetime, zone: str, until: date) -> Schedule:
        rule = {"every": self.every, "on": list(self.on), "times": list(self.times)}
        rule["until"] = until.isoformat()
        return Schedule(self.kind, first.isoformat(), zone, rule)

    def first(self, begin: date) -> datetime:
        """The first time that it names from a day on: what a series begins with."""
        names = self._names(begin, 1)
        day = next(day for n in range(1200) if names(day := begin + timedelta(days=n)))
        return datetime.combine(day, min(map(time.fromisoformat, self.times)))

    def expected(self, first: datetime, zone: str, until: date) -> list[datetime]:
        """Each instant once."""
        return sorted({oracle.instant(local, zone) for local in self._local(first, until)})

    @lru_cache(maxsize=32)  # noqa: B019 - the same in every zone
    def _local(self, first: datetime, until: date) -> list[datetime]:
        clock = map(time.fromisoformat, self.times)
        return oracle.local_times(self._names(first.date(), self.every), clock, first, until)

    def _names(self, first: date, every: int) -> oracle.Day:
        if self.kind == DAILY:
            return oracle.days_apart(first, every)
        apart = {
            WEEKLY: oracle.weeks_apart,
            MONTHLY: oracle.months_apart,
            YEARLY: oracle.years_apart,
        }
        return apart[self.kind](first, every, self.on)


CASES = (
    Case(DAILY, times=CLOCK),
    Case(DAILY, every=3),
    Case(WEEKLY, on=("mon", "thu", "sun"), times=("01:45", "02:30")),
    Case(WEEKLY, every=2, on=("sun",)),
    Case(MONTHLY, on=("1", "15", "30", "31", "last"), times=("00:00", "02:30")),
    Case(MONTHLY, every=5, on=("1mon", "5fri", "last-sun")),
    Case(YEARLY, on=("02-29", "03-28", "12-30", "12-31"), times=("00:30", "02:30")),
    Case(YEARLY, every=3, on=("02-29",)),
)


def check(case: Case, zone: str, begin: date, years: int) -> None:
    first, until = case.first(begin), begin.replace(year=begin.year + years)
    schedule = case.schedule(first, zone, until)
    expected = case.expected(first, zone, until)
    found = [one.instant for one in occurrences(schedule)]
    assert found == expected, (case, zone)


@pytest.mark.parametrize("zone", ZONES)
def test_nothing_is_lost_doubled_or_shifted(zone: str) -> None:
    """Apia left out 30 December 2011; of the others all clock changes of a few years."""
    for case in CASES:
        check(case, zone, date(2010, 3, 1), 2)
    check(CASES[0], zone, date(2026, 3, 1), 1)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_nothing_is_lost_doubled_or_shifted_anywhere_in_20_years(part: int) -> None:
    for zone in ALL_ZONES[part::8]:
        for case in CASES:
            check(case, zone, date(1998, 1, 1), 20)
            check(case, zone, date(2026, 1, 31), 20)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Pacific/Apia", "Antarctica/Troll"])
def test_after_any_instant_comes_the_next(zone: str) -> None:
    """Also right at an occurrence, and a microsecond beside it."""
    rng, begin, until = Random(zone), date(2010, 12, 1), date(2012, 6, 1)
    for case in CASES:
        first = case.first(begin)
        schedule, expected = case.schedule(first, zone, until), case.expected(first, zone, until)
        moments = [at + timedelta(microseconds=n) for at in expected[:12] for n in (-1, 0, 1)]
        moments += [expected[0] + (expected[-1] - expected[0]) * rng.random() for _ in range(20)]
        for after in moments:
            place = bisect_right(expected, after)
            rest = [one.instant for one in islice(occurrences(schedule, after), 3)]
            assert rest == expected[place : place + 3]
        rest_count = len(expected) - bisect_right(expected, moments[-1])
        assert left(schedule, moments[-1]) == (rest_count if rest_count <= MOST_COUNTED else None)


def spring(times: list[str]) -> list[Occurrence]:
    """The occurrences of the day on which Berlin's clocks go from 2 to 3."""
    rule = {"times": times, "until": "2027-03-28"}
    return list(occurrences(Schedule(DAILY, "2027-03-28T00:00:00", "Europe/Berlin", rule)))[1:]


def test_a_skipped_time_moves_forward_by_the_gap_and_says_so() -> None:
    moved, plain = spring(["02:30", "05:00"])
    assert moved.instant == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert (moved.local, moved.change) == (datetime(2027, 3, 28, 2, 30), ClockChange.SKIPPED)  # noqa: DTZ001 - local
    assert plain.change is None


def test_what_becomes_one_instant_is_one_and_order_is_kept() -> None:
    """02:30 becomes 03:30: after 03:00, and the same as 03:30."""
    found = spring(["02:00", "02:30", "03:00", "03:30", "03:45"])
    assert [f"{one.instant:%H:%M}" for one in found] == ["01:00", "01:30", "01:45"]
    assert [one.local.hour for one in found] == [3, 3, 3]


def test_of_a_repeated_time_the_first_is_taken_and_it_says_so() -> None:
    rule = {"times": ["02:30"], "until": "2026-10-25"}
    found = list(occurrences(Schedule(DAILY, "2026-10-25T02:30:00", "Europe/Berlin", rule)))
    assert [one.instant for one in found] == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]
    assert found[0].change is ClockChange.REPEATED


def test_a_first_that_is_no_day_of_the_pattern_comes_first_all_the_same() -> None:
    rule = {"on": ["mon", "thu"], "times": ["09:00"]}
    found = occurrences(Schedule(WEEKLY, "2026-12-01T10:00:00", "UTC", rule))
    assert [f"{one.local:%a %d %H}" for one in islice(found, 3)] == [
        "Tue 01 10",
        "Thu 03 09",
        "Mon 07 09",
    ]


def test_a_first_with_an_offset_is_that_instant() -> None:
    """The second half past two of the day on which Berlin's clocks go back."""
    schedule = Schedule(DAILY, "2026-10-25T02:30:00+01:00", "Europe/Berlin", {"times": ["02:30"]})
    found = [f"{one.instant:%d %H:%M}" for one in islice(occurrences(schedule), 2)]
    assert found == ["25 01:30", "26 01:30"]


def test_exceptions_and_bounds_are_local_days() -> None:
    rule = {
        "times": ["00:30", "23:30"], "from": "2026-12-02", "until": "2026-12-05",
        "except": ["2026-12-03", "2026-12-04T23:30:00"],
    }  # fmt: skip
    found = occurrences(Schedule(DAILY, "2026-12-01T00:30:00", "Pacific/Kiritimati", rule))
    assert [f"{one.local:%d %H:%M}" for one in found] == [
        "02 00:30", "02 23:30", "04 00:30", "05 00:30", "05 23:30",
    ]  # fmt: skip


@given(st.integers(1, 40), st.integers(1, 9), st.booleans())
def test_count_counts_from_the_beginning_exceptions_too(count: int, every: int, kept: bool) -> None:
    rule = {"times": ["09:00"], "every": every, "count": count, "except": ["2026-12-01"]}
    if kept:
        last = date(2026, 12, 1) + timedelta(days=every * (count - 1))
        rule["ends"] = f"{last}T09:00:00"
    schedule = Schedule(DAILY, "2026-12-01T09:00:00", "Europe/Berlin", rule)
    assert len(list(occurrences(schedule))) == count - 1
    assert left(schedule, None) == count - 1


@given(st.sampled_from(CASES), st.sampled_from(ZONES), st.integers(1900, 9990))
def test_any_year_is_reached_at_once_and_the_calendar_ends(
    case: Case, zone: str, year: int
) -> None:
    schedule = Schedule(
        case.kind, "1900-01-01T00:30:00", zone,
        {"every": case.every, "on": list(case.on), "times": list(case.times)},
    )  # fmt: skip
    found = next_occurrence(schedule, datetime(year, 5, 5, 12, tzinfo=UTC))
    assert found is not None
    assert 0 <= found.instant.year - year <= 4
    assert next_occurrence(schedule, datetime(9999, 6, 1, tzinfo=UTC)) is None
    for _ in walk(schedule, datetime(9998, 11, 1, tzinfo=UTC)):
        pass


def test_a_count_is_counted_out_however_many_and_an_end_only_so_far() -> None:
    counted = Schedule(DAILY, "2026-12-01T09:00:00", "UTC", {"times": ["09:00"], "count": 5000})
    assert left(counted, datetime(2026, 12, 2, tzinfo=UTC)) == 4999
    until = replace(counted, rule={"times": ["09:00"], "until": "2050-01-01"})
    assert left(until, None) is None
    assert left(until, datetime(2049, 12, 30, tzinfo=UTC)) == 3


def walk(schedule: Schedule, after: datetime) -> Iterator[Occurrence]:
    """To the end of the calendar, in order."""
    for one in occurrences(schedule, after):
        assert one.instant > after
        after = one.instant
        yield one


@pytest.mark.slow
def test_clock_changes_lie_further_apart_than_is_looked_beside_a_time() -> None:
    """Or offsets before and after a time could be equal although one of two changes moves it."""
    for name in ALL_ZONES:
        zone, at, last = ZoneInfo(name), datetime(1970, 1, 1, tzinfo=UTC), None
        offset = at.astimezone(zone).utcoffset()
        while at.year < 2100:
            at += timedelta(hours=6)
            if (now := at.astimezone(zone).utcoffset()) != offset:
                assert last is None or at - last > timedelta(hours=60), (name, at)
                last, offset = at, now
