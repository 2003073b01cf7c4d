"""From wishes to a schedule: what it begins with, what is said of it, what is refused and where."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postsched.domain.errors import InvalidInput
from postsched.domain.recurrence import Wishes, describe, is_endless, left, occurrences, plan
from postsched.domain.schedule import Schedule

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 13, 30, 5, tzinfo=UTC)
"""A Sunday, 14:30:05 in Berlin."""
DAILY = Wishes(repeat="daily", at="09:00")
WEEKLY, MONTHLY, YEARLY = (
    replace(DAILY, repeat=repeat) for repeat in ("weekly", "monthly", "yearly")
)
FIELDS = {"at", "repeat", "every", "on", "cron", "rrule", "except", "from", "until", "count"}


def begins(wishes: Wishes, count: int = 3, now: datetime = NOW) -> list[str]:
    schedule, _ = plan(wishes, now, BERLIN)
    return [f"{one.local:%a %d %b %H:%M}" for one in islice(occurrences(schedule), count)]


def notes(wishes: Wishes) -> str:
    return " | ".join(plan(wishes, NOW, BERLIN)[1])


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        (replace(DAILY, at="09:00,17:30"), ["Sun 22 Nov 17:30", "Mon 23 Nov 09:00"]),
        (replace(DAILY, at="5pm, noon"), ["Sun 22 Nov 17:00", "Mon 23 Nov 12:00"]),
        (replace(DAILY, every=3), ["Mon 23 Nov 09:00", "Thu 26 Nov 09:00"]),
        (replace(DAILY, from_="2026-12-01"), ["Tue 01 Dec 09:00", "Wed 02 Dec 09:00"]),
        (replace(DAILY, from_="2020-01-01"), ["Mon 23 Nov 09:00", "Tue 24 Nov 09:00"]),
        (replace(DAILY, at="now"), ["Sun 22 Nov 14:30", "Mon 23 Nov 14:30"]),
        (replace(DAILY, at="in 2 hours"), ["Sun 22 Nov 16:30", "Mon 23 Nov 16:30"]),
        (
            replace(DAILY, at="2026-12-01T09:00,17:30"),
            ["Tue 01 Dec 09:00", "Tue 01 Dec 17:30", "Wed 02 Dec 09:00"],
        ),
        (replace(DAILY, at="2026-12-01T09:00+03:00"), ["Tue 01 Dec 07:00", "Wed 02 Dec 07:00"]),
        (replace(WEEKLY, on=("sun",)), ["Sun 29 Nov 09:00", "Sun 06 Dec 09:00"]),
        (replace(WEEKLY, on=("sunday",), at="15:00"), ["Sun 22 Nov 15:00", "Sun 29 Nov 15:00"]),
        (
            replace(WEEKLY, on=("mon,fri",), at="fri 09:00", every=2),
            ["Fri 27 Nov 09:00", "Mon 07 Dec 09:00", "Fri 11 Dec 09:00"],
        ),
        (WEEKLY, ["Mon 23 Nov 09:00", "Mon 30 Nov 09:00"]),
        (replace(MONTHLY, at="2027-01-31T09:00"), ["Sun 31 Jan 09:00", "Sun 28 Feb 09:00"]),
        (replace(MONTHLY, on=("last-fri",)), ["Fri 27 Nov 09:00", "Fri 25 Dec 09:00"]),
        (replace(MONTHLY, on=("15",), every=3), ["Tue 15 Dec 09:00", "Mon 15 Mar 09:00"]),
        (YEARLY, ["Mon 23 Nov 09:00", "Tue 23 Nov 09:00"]),
        (replace(YEARLY, on=("02-29",)), ["Sun 28 Feb 09:00", "Tue 29 Feb 09:00"]),
        (Wishes(cron="0 9 * * 1"), ["Mon 23 Nov 09:00", "Mon 30 Nov 09:00"]),
        (Wishes(cron="0 9 * * 1", at="2026-12-01T08:00"), ["Mon 07 Dec 09:00", "Mon 14 Dec 09:00"]),
        (Wishes(cron="0 9 * * 1", from_="2026-12-07"), ["Mon 07 Dec 09:00", "Mon 14 Dec 09:00"]),
    ],
)
def test_where_a_series_begins(wishes: Wishes, expected: list[str]) -> None:
    assert begins(wishes, len(expected)) == expected


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        (WEEKLY, "It isn't said on which days: weekly from Mon 23 Nov 2026 on"),
        (
            replace(WEEKLY, on=("thu",), at="2026-12-01T09:00"),
            "The first, Tue 1 Dec 2026, 09:00, is no day of --on thu",
        ),
        (replace(MONTHLY, at="2027-01-31T09:00"), "A month without a 31 has its last day instead"),
        (replace(MONTHLY, on=("29,30",)), "A month without a 29 or 30 has its last day"),
        (replace(MONTHLY, on=("5fri",)), "A month without a fifth such weekday has none"),
        (replace(YEARLY, on=("02-29",)), "A year without 29 February has 28 February instead"),
        (replace(DAILY, at="2027-03-28T02:30"), "02:30 is skipped by a clock change"),
        (replace(DAILY, except_=("2026-11-01",)), "Except 2026-11-01 names nothing of it"),
        (
            replace(WEEKLY, on=("mon",), except_=("2026-11-24", "2026-11-30T10:00")),
            "Except 2026-11-24 names nothing of it | Except 2026-11-30T10:00:00 names nothing",
        ),
        (
            replace(DAILY, count=9, until="2026-11-25"),
            "It ends after 3 of 9, by --until 2026-11-25",
        ),
        (replace(DAILY, at="02:30"), "Sun 28 Mar 2027, 02:30 is skipped by a clock change"),
        (replace(DAILY, at="02:30", from_="2027-04-01"), "02:30 comes twice by a clock change"),
    ],
)
def test_what_a_person_should_know_is_said(wishes: Wishes, said: str) -> None:
    assert said in notes(wishes)


@pytest.mark.parametrize(
    "wishes",
    [
        DAILY, replace(MONTHLY, on=("last", "1mon")), replace(DAILY, except_=("2026-11-24",)),
        replace(DAILY, count=9), replace(YEARLY, on=("12-24",)), Wishes(cron="0 9 * * *"),
    ],
)  # fmt: skip
def test_where_nothing_is_odd_nothing_is_said(wishes: Wishes) -> None:
    assert notes(wishes) == ""


@pytest.mark.parametrize(
    ("wishes", "field", "said"),
    [
        (Wishes(), "at", "it isn't said when"),
        (Wishes(repeat="daily"), "at", "the time of day of daily isn't said"),
        (Wishes(at="09:00", every=2), "every", "'every' belongs to a post that recurs"),
        (Wishes(at="09:00", until="2027-01-01"), "until", "Add --repeat"),
        (replace(DAILY, cron="@daily"), "cron", "repeat and cron are both given"),
        (Wishes(cron="@daily", rrule="FREQ=DAILY"), "rrule", "cron and rrule are both given"),
        (Wishes(cron="@daily", every=2), "every", "'every' doesn't go with cron"),
        (Wishes(rrule="FREQ=DAILY", on=("mon",)), "on", "'on' doesn't go with rrule"),
        (Wishes(cron="@daily", at="09:00"), "at", "the times of day are in the cron expression"),
        (Wishes(rrule="FREQ=DAILY", at="09:00,10:00"), "at", "begins at one time of day"),
        (replace(DAILY, repeat="hourly"), "repeat", "'hourly' is no way to repeat"),
        (replace(DAILY, on=("mon",)), "on", "daily is every day"),
        (replace(WEEKLY, on=("1",)), "on", "'1' is no weekday"),
        (replace(WEEKLY, on=("mon",) * 1001), "on", "on has more than 1000 words"),
        (replace(WEEKLY, on=("mon-",)), "on", "'mon-' is no weekday"),
        (replace(MONTHLY, on=("32",)), "on", "'32' is no day of a month"),
        (replace(MONTHLY, on=("mon",)), "on", "'mon' is no day of a month"),
        (replace(YEARLY, on=("last-fri",)), "on", "--repeat monthly --every 12"),
        (replace(YEARLY, on=("02-30",)), "on", "'02-30' is no day of a year"),
        (replace(DAILY, every=0), "every", "every is '0', not a whole number from 1"),
        (replace(DAILY, every=-3), "every", "'-3'"),
        (replace(DAILY, count=0), "count", "count is '0'"),
        (replace(DAILY, count=10**30), "count", "whole number from 1 to 100000"),
        (replace(DAILY, until="2026-11-21"), "until", "until 2026-11-21 is past"),
        (replace(DAILY, until="2026-11-22"), "until", "it names nothing until 2026-11-22"),
        (replace(DAILY, until="soon"), "until", "until is 'soon', which is no day"),
        (replace(DAILY, until="2026-02-30"), "until", "which is no day"),
        (replace(DAILY, from_="2026-12-02", until="2026-12-01"), "until", "ends before it begins"),
        (replace(DAILY, from_="2026-13-01"), "from", "from is '2026-13-01'"),
        (replace(DAILY, at="2026-12-01T09:00", from_="2026-12-02"), "from", "is before from"),
        (replace(DAILY, at="2020-12-01T09:00"), "at", "is past"),
        (replace(DAILY, at="25:00"), "at", "25:00"),
        (replace(DAILY, at="09:00,x"), "at", "09:00,x"),
        (replace(DAILY, except_=("christmas",)), "except", "except is 'christmas'"),
        (
            replace(DAILY, count=2, except_=("2026-11-23,2026-11-24",)),
            "except", "the exceptions leave nothing",
        ),
    ],
)  # fmt: skip
def test_what_is_refused_says_where_and_what_to_do(wishes: Wishes, field: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        plan(wishes, NOW, BERLIN)
    assert caught.value.field == field
    assert said in str(caught.value)
    assert caught.value.hint


def test_in_the_second_pass_of_a_repeated_hour_it_begins_then() -> None:
    """Not an hour ago."""
    now = datetime(2027, 10, 31, 1, 10, tzinfo=UTC)  # 02:10 for the second time
    for wishes in (replace(DAILY, at="in 20m"), Wishes(cron="*/30 * * * *")):
        schedule, _ = plan(wishes, now, BERLIN)
        assert next(occurrences(schedule)).instant == now + timedelta(minutes=20)
    assert begins(replace(DAILY, at="02:30"), 1, now) == ["Mon 01 Nov 02:30"]


def test_a_time_of_its_own_with_fractions_is_the_first_only() -> None:
    now = NOW.replace(microsecond=123_456)
    a_day, an_hour = timedelta(days=1), timedelta(hours=1)
    for wishes, step in (
        (replace(DAILY, at="now"), a_day),
        (Wishes(rrule="FREQ=DAILY", at="now"), a_day),
        (Wishes(rrule="FREQ=HOURLY", at="now"), an_hour),
        (Wishes(rrule="FREQ=HOURLY;INTERVAL=48", at="now"), a_day * 2),
    ):
        schedule, said = plan(wishes, now, BERLIN)
        first, second = islice(occurrences(schedule), 2)
        assert first.instant == now
        assert second.instant == now.replace(microsecond=0) + step
        assert not said


DAYS = st.dates(date(2026, 11, 1), date(2028, 1, 1)).map(str)
ODD = st.text(max_size=12) | st.sampled_from(
    ["-1", "0", "mon-", "99mon", "last", "1,,2", "²", "9" * 400, "\x00", "24:00", "9am,9am", "T"]
)
WORDS = st.sampled_from(
    ["mon", "fri-mon", "1", "31", "last", "5fri", "last-fri", "02-29", "12-24", "mon,thu", "1,15"]
)
CLOCK = st.sampled_from(["09:00", "9am,17:30", "now", "in 2h", "fri 14:30", "2027-03-28T02:30"])
CRONS = st.sampled_from(["0 9 * * *", "*/7 */5 29 2 *", "0 0 30 2 *", "@hourly", "0 0 13 * 5"])
PARTS = st.lists(
    st.sampled_from(
        ["FREQ=DAILY", "FREQ=SECONDLY", "FREQ=YEARLY", "INTERVAL=7", "COUNT=9", "BYDAY=MO,-1FR",
         "BYHOUR=9", "BYMONTH=2", "BYMONTHDAY=30", "BYSETPOS=-2", "UNTIL=20270101", "WKST=SU",
         "BYWEEKNO=53", "BYYEARDAY=366", "BYSECOND=59", "INTERVAL=999999999", "X=1"]
    ),
    min_size=1, max_size=5,
).map(";".join)  # fmt: skip
NUMBERS = st.none() | st.integers(-2, 40) | st.integers()


def rarely(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[str | None]:
    return st.none() | st.none() | strategy


WISHES = st.builds(
    Wishes,
    at=st.none() | CLOCK | ODD,
    repeat=st.sampled_from([None, "daily", "weekly", "monthly", "yearly", "Daily "]) | rarely(ODD),
    every=NUMBERS,
    on=st.lists(WORDS | ODD, max_size=3).map(tuple) | st.just(()),
    cron=rarely(CRONS | ODD),
    rrule=rarely(PARTS | ODD),
    except_=st.lists(DAYS | ODD, max_size=3).map(tuple) | st.just(()),
    from_=rarely(DAYS | ODD),
    until=rarely(DAYS | ODD),
    count=st.none() | st.integers(-1, 40) | st.sampled_from([10**9, 10**40]),
)


def planned(wishes: Wishes, zone: ZoneInfo) -> tuple[Schedule, tuple[str, ...]] | InvalidInput:
    try:
        return plan(wishes, NOW, zone)
    except InvalidInput as error:
        return error


@given(WISHES, st.sampled_from(["Europe/Berlin", "Pacific/Apia", "Antarctica/Troll"]))
def test_any_wishes_become_a_schedule_or_a_clear_refusal(wishes: Wishes, zone: str) -> None:
    begun = process_time()
    made = planned(wishes, ZoneInfo(zone))
    if isinstance(made, InvalidInput):
        assert made.field in FIELDS
        assert made.hint
        assert len(made.message) < 300
        return
    schedule, said = made
    assert all(said)
    found = [one.instant for one in islice(occurrences(schedule), 5)]
    assert found == sorted(set(found))
    assert any(one >= NOW for one in found)
    assert is_endless(schedule) or left(schedule, NOW) is not None or schedule.rule["until"]
    assert describe(schedule, NOW)
    again = json.loads(json.dumps(schedule.rule))
    assert Schedule(schedule.kind, schedule.at, schedule.tz, again) == schedule
    assert process_time() - begun < 10


def test_every_wish_is_named_as_in_posts_as_data() -> None:
    assert {one.name.strip("_") for one in fields(Wishes)} == FIELDS
