"""Cron against an oracle that asks minute by minute, through clock changes; and its refusals."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from postsched.domain.errors import InvalidInput
from postsched.domain.recurrence import next_occurrence, occurrences
from postsched.domain.recurrence.cron import MACROS, expression
from postsched.domain.schedule import CRON, Schedule
from tests.domain.recurrence import oracle

PLACES = (
    ("Europe/Berlin", 2026), ("America/New_York", 2026), ("Australia/Lord_Howe", 2026),
    ("America/St_Johns", 2006), ("Pacific/Apia", 2011), ("Africa/Casablanca", 2026),
    ("Antarctica/Troll", 2026), ("Asia/Gaza", 2026), ("UTC", 2026),
)  # fmt: skip
BY_CALENDAR = (
    "30 2 * * *", "0,30 0-3 * * *", "15 1,2,3 1-10/3 * *", "0 9 13 * fri", "59 23 * * 7",
    "0 0 31 * *", "45 1 * mar,oct sun", "5 0 */2 * mon-wed", "0 12 29 2 0", "10 3 1-7 */3 1-5",
)  # fmt: skip
BY_CLOCK = (
    "0 * * * *", "*/15 */2 * * *", "7,37 * * * 1-5", "0 */3 1,15 * 3", "30 1-23/4 * * *",
    "59 0-23 * * sat,sun", "*/20 *,5 31 12 *", "@hourly",
)  # fmt: skip


def found(text: str, zone: str, begin: datetime, end: datetime) -> list[datetime]:
    """Between two instants, the first included."""
    schedule = Schedule(CRON, begin.isoformat(), zone, {"rule": text})
    times = (one.instant for one in occurrences(schedule))
    return list(takewhile(lambda at: at < end, times))


def check(text: str, zone: str, begin: datetime, end: datetime) -> None:
    said = MACROS.get(text, text)
    expected = oracle.cron_instants(said, zone, begin, end, by_clock=text in BY_CLOCK)
    assert found(text, zone, begin, end) == expected, (text, zone, begin)


@pytest.mark.parametrize(("zone", "year"), PLACES)
def test_around_clock_changes(zone: str, year: int) -> None:
    beside = timedelta(hours=14)
    for change in oracle.changes(zone, year, year)[:2]:
        begin, end = change - beside, change + beside
        for text in (BY_CLOCK[0], BY_CLOCK[1], BY_CLOCK[4], BY_CALENDAR[1]):
            check(text, zone, begin, end)


@pytest.mark.slow
@pytest.mark.parametrize(("zone", "year"), PLACES)
def test_through_a_whole_year(zone: str, year: int) -> None:
    begin, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    for text in (*BY_CALENDAR, *BY_CLOCK):
        check(text, zone, begin, end)


def field(least: int, most: int, names: Iterable[str] = ()) -> st.SearchStrategy[str]:
    """A field of cron."""
    numbers = st.integers(least, most)
    ranges = st.tuples(numbers, numbers).map(sorted).map(lambda pair: f"{pair[0]}-{pair[1]}")
    steps = st.integers(1, most + 3).map(lambda step: f"/{step}")
    part = st.one_of(
        st.just("*"),
        numbers.map(str),
        ranges,
        st.builds("{}{}".format, ranges | st.just("*"), steps),
        *([st.sampled_from(sorted(names))] if names else []),
    )
    return st.just("*") | st.lists(part, min_size=1, max_size=3).map(",".join)


EXPRESSIONS = st.builds(
    "{} {} {} {} {}".format,
    st.sampled_from(["0", "*/30", "5,55", "10-50/20"]),
    field(0, 23),
    field(1, 31),
    field(1, 12, ("jan", "feb", "dec")),
    field(0, 7, ("sun", "mon", "sat")),
)


@given(EXPRESSIONS, st.dates(date(2000, 1, 1), date(2090, 1, 1)))
@example("0 0 29 2 */2", date(2096, 3, 1))
def test_any_expression_names_what_the_oracle_names(text: str, day: date) -> None:
    """In UTC: which days and times; the first to come, and then a day of them."""
    begin = datetime.fromisoformat(f"{day}T00:00+00:00")
    schedule = Schedule(CRON, begin.isoformat(), "UTC", {"rule": text})
    try:
        first = next_occurrence(schedule, None)
    except InvalidInput as error:
        assert "never comes" in error.message  # noqa: PT017 - only some are refused
        return
    assert first is not None
    assert oracle.cron_fits(text, first.local)
    quiet = oracle.cron_instants(
        text, "UTC", max(begin, first.instant - timedelta(days=1)), first.instant, by_clock=True
    )
    assert quiet == []
    end = first.instant + timedelta(days=1)
    busy = oracle.cron_instants(text, "UTC", first.instant, end, by_clock=True)
    assert found(text, "UTC", begin, end) == busy


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("61 * * * *", "'61' can't be the minute of cron"),
        ("* 24 * * *", "'24' can't be the hour"),
        ("0 9 0 * *", "'0' can't be the day of the month"),
        ("0 9 * 13 *", "'13' can't be the month"),
        ("0 9 * * 8", "'8' can't be the weekday"),
        ("0 9 * * monday", "'monday' can't be the weekday"),
        ("0 9 ? * *", "'?' can't be the day of the month"),
        ("0 9 L * *", "'l' can't be the day of the month"),
        ("0 9 * * 5#2", "'5#2' can't be the weekday"),
        ("5/15 * * * *", "Give a step as */15"),
        ("*/0 * * * *", "'*/0' can't be the minute"),
        ("30-10 * * * *", "from the lower to the higher"),
        ("1,,2 * * * *", "'' can't be the minute"),
        ("-1 * * * *", "'-1' can't be the minute"),
        ("¹ * * * *", "can't be the minute"),
        ("0 0 9 * * *", "has 6 fields, not 5"),
        ("0 9 * *", "has 4 fields, not 5"),
        ("@reboot", "'@reboot' is no time"),
        ("@often", "'@often' is no time"),
        ("", "is no cron expression"),
        ("9" * 5000, "is no cron expression"),
        ("0 0 30 2 *", "never comes"),
        ("0 0 31 4,6,9,11 *", "never comes"),
        ("0 0 30 2 */2", "never comes"),
    ],
)
def test_what_is_refused_says_where(text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        expression(text)
    assert said in str(caught.value)
    assert caught.value.field == "cron"
    assert caught.value.hint
    assert len(str(caught.value)) < 250


def test_a_number_that_never_comes_leaves_the_weekday() -> None:
    schedule = Schedule(CRON, "2026-01-01T00:00:00", "UTC", {"rule": "0 0 30 2 1"})
    first = next_occurrence(schedule, None)
    assert first is not None
    assert f"{first.local:%a %d %b}" == "Mon 02 Feb"


def test_twenty_years_on_the_next_is_as_near_as_at_the_beginning() -> None:
    """No more times are made than lie around: the pattern is asked where it is needed."""
    schedule = Schedule(CRON, "2026-01-01T00:00:00", "Europe/Berlin", {"rule": "* * * * *"})
    after = datetime(2046, 1, 1, 11, 59, 30, tzinfo=UTC)
    found = next_occurrence(schedule, after)
    assert found is not None
    assert found.instant == datetime(2046, 1, 1, 12, tzinfo=UTC)
