"""RFC 5545 rules: the same times as others name, from any time on; refusals; bounded work."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, takewhile
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from postsched.domain.errors import InvalidInput
from postsched.domain.recurrence import Wishes, next_occurrence, occurrences, plan
from postsched.domain.recurrence.expansion import Expansion
from postsched.domain.recurrence.rule import BY_CLOCK, rule
from postsched.domain.schedule import RRULE, Schedule

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 13, 30, 5, tzinfo=UTC)
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def numbers(name: str, least: int, most: int, size: int = 3) -> st.SearchStrategy[str]:
    """A part, or nothing."""
    among = st.integers(least, most).filter(lambda n: n or least >= 0)
    some = st.lists(among, min_size=1, max_size=size, unique=True)
    part = some.map(lambda found: f";{name}={','.join(map(str, found))}")
    return st.just("") | part


def weekdays(*, counted: bool) -> st.SearchStrategy[str]:
    nth = st.sampled_from(["", "", "1", "-1", "2", "+3", "-2"] if counted else [""])
    some = st.lists(
        st.builds("{}{}".format, nth, st.sampled_from(WEEKDAYS)), min_size=1, max_size=3
    )
    return st.just("") | some.map(lambda found: f";BYDAY={','.join(found)}")


HEAD = st.builds(
    "FREQ={};INTERVAL={};WKST={}".format,
    st.just("{}"), st.integers(1, 5), st.sampled_from(WEEKDAYS),
)  # fmt: skip
CLOCKS = st.builds("{}{}".format, numbers("BYHOUR", 0, 23), numbers("BYMINUTE", 0, 59, 2))
RULES = st.one_of(
    st.builds(
        "{}{}{}{}{}".format, HEAD.map(lambda head: head.format("YEARLY")),
        numbers("BYMONTH", 1, 12), numbers("BYMONTHDAY", -31, 31), weekdays(counted=True), CLOCKS,
    ),
    st.builds(
        "{}{}{}{}".format, HEAD.map(lambda head: head.format("YEARLY")),
        numbers("BYYEARDAY", -366, 366), weekdays(counted=True), CLOCKS,
    ),
    st.builds(
        "{};BYWEEKNO={};BYDAY=MO,SU{}".format, HEAD.map(lambda head: head.format("YEARLY")),
        st.integers(1, 53) | st.integers(-53, -1), CLOCKS,
    ),
    st.builds(
        "{}{}{}{}{}".format, HEAD.map(lambda head: head.format("MONTHLY")),
        numbers("BYMONTH", 1, 12), numbers("BYMONTHDAY", -31, 31), weekdays(counted=True), CLOCKS,
    ),
    st.builds(
        "{};BYDAY=MO,WE,FR{}{}".format, HEAD.map(lambda head: head.format("MONTHLY")),
        numbers("BYSETPOS", -9, 9), CLOCKS,
    ),
    st.builds(
        "{}{}{}{}".format, HEAD.map(lambda head: head.format("WEEKLY")),
        numbers("BYMONTH", 1, 12), weekdays(counted=False), CLOCKS,
    ),
    st.builds(
        "{}{}{}{}{};BYSECOND=30".format, HEAD.map(lambda head: head.format("DAILY")),
        numbers("BYMONTH", 1, 12), numbers("BYMONTHDAY", -31, 31), weekdays(counted=False), CLOCKS,
    ),
    st.builds(
        "{};BYHOUR=9,10,17;BYMINUTE=0,30{}".format, HEAD.map(lambda head: head.format("DAILY")),
        numbers("BYSETPOS", -7, 7),
    ),
)  # fmt: skip
CLOCKWISE = st.builds(
    "FREQ={};INTERVAL={}{}{}{}{}{}{}".format,
    st.sampled_from(BY_CLOCK), st.sampled_from([1, 2, 5, 7, 23, 25, 90, 1000, 1441, 100_000]),
    numbers("BYMONTH", 10, 12), numbers("BYMONTHDAY", 1, 31, 9), weekdays(counted=False),
    numbers("BYHOUR", 0, 23, 9), numbers("BYMINUTE", 0, 59, 9), numbers("BYSECOND", 0, 59, 9),
)  # fmt: skip
FIRSTS = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)).map(  # noqa: DTZ001 - local
    lambda at: at.replace(microsecond=0)
)


def others(text: str, first: datetime, end: datetime) -> list[datetime]:
    """What python-dateutil names, walking from the first."""
    try:
        return list(rrulestr(f"{text};UNTIL={end:%Y%m%dT%H%M%S}", dtstart=first))
    except ValueError:  # "Invalid combination": of an interval and hours that never meet
        return []


def ours(text: str, first: datetime, start: datetime, end: datetime) -> list[datetime]:
    times = Expansion(rule(text), first, BERLIN, literal=False).times(start)
    return list(takewhile(lambda at: at <= end, times))


@given(RULES, FIRSTS, st.floats(0, 1))
def test_the_times_of_any_rule_are_those_of_dateutil(
    text: str, first: datetime, into: float
) -> None:
    end = first + timedelta(days=1000)
    expected = others(text, first, end)
    assert ours(text, first, first, end) == expected
    start = first + (end - first) * into
    assert ours(text, first, start, end) == [at for at in expected if at >= start]


@given(CLOCKWISE, st.datetimes(datetime(2026, 10, 1), datetime(2026, 10, 4)), st.floats(0, 1))  # noqa: DTZ001 - local
def test_hours_minutes_and_seconds_too(text: str, first: datetime, into: float) -> None:
    first = first.replace(microsecond=0)
    end = first + timedelta(days=0.02 if "SECONDLY" in text else 30 if "HOURLY" in text else 1.5)
    expected = others(text, first, end)
    assert ours(text, first, first, end) == expected
    start = first + (end - first) * into
    assert ours(text, first, start, end) == [at for at in expected if at >= start]


@pytest.mark.slow
@given(RULES, st.sampled_from(["Europe/Berlin", "America/St_Johns", "Africa/Casablanca"]), FIRSTS)
def test_a_calendar_program_names_the_same_instants(text: str, zone: str, first: datetime) -> None:
    """Of two years; the first is one that the rule names, or the RFC leaves it open."""
    recurring = pytest.importorskip("recurring_ical_events", reason="judges our rules")
    icalendar = pytest.importorskip("icalendar", reason="reads what judges our rules")
    end = first + timedelta(days=730)
    begun = next(iter(ours(text, first, first, end)), None)
    if begun is None:
        return
    schedule = Schedule(RRULE, begun.isoformat(), zone, {"rule": text})
    until = end.replace(tzinfo=ZoneInfo(zone))
    found = takewhile(lambda one: one.instant < until, occurrences(schedule))
    event = (
        f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\nBEGIN:VEVENT\nUID:1\n"
        f"DTSTART;TZID={zone}:{begun:%Y%m%dT%H%M%S}\nRRULE:{text}\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    calendar = icalendar.Calendar.from_ical(event.replace("\n", "\r\n"))
    events = recurring.of(calendar).between(begun, until.replace(tzinfo=None))
    expected = sorted({one["DTSTART"].dt.astimezone(UTC) for one in events})
    assert [one.instant for one in found] == [at for at in expected if at < until]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FREQ=FOO", "FREQ is 'FOO'"),
        ("", "it has no RRULE"),
        ("DTSTART:20261201T090000", "it has no RRULE"),
        ("BYDAY=MO", "it has no FREQ"),
        ("FREQ=DAILY;FRQ=2", "Did you mean FREQ?"),
        ("FREQ=DAILY;BYEASTER=1", "'BYEASTER=1' is no part"),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ is there twice"),
        ("FREQ=DAILY;COUNT=", "COUNT has no value"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL is '0'"),
        ("FREQ=DAILY;INTERVAL=99999999999", "INTERVAL is '99999999999'"),
        ("FREQ=DAILY;COUNT=0", "COUNT is '0'"),
        ("FREQ=DAILY;COUNT=-1", "COUNT is '-1'"),
        ("FREQ=DAILY;COUNT=²", "COUNT is '²'"),
        ("FREQ=DAILY;COUNT=999999999", "not a whole number from 1 to 100000"),
        ("FREQ=DAILY;UNTIL=2026-12-31", "UNTIL '2026-12-31' is no time"),
        ("FREQ=DAILY;UNTIL=20261301", "UNTIL '20261301' is no time"),
        ("FREQ=DAILY;UNTIL=00010101T000000Z", "is no time"),
        ("FREQ=MONTHLY;BYDAY=99MO", "'99MO' can't be in BYDAY"),
        ("FREQ=MONTHLY;BYDAY=6MO", "no month has the 6MO"),
        ("FREQ=YEARLY;BYMONTH=2;BYDAY=-9MO", "no month has the -9MO"),
        ("FREQ=WEEKLY;BYDAY=1MO", "BYDAY with a number"),
        ("FREQ=YEARLY;BYWEEKNO=2;BYDAY=1MO", "BYDAY with a number"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY doesn't go with FREQ=WEEKLY"),
        ("FREQ=DAILY;BYYEARDAY=1", "BYYEARDAY doesn't go with FREQ=DAILY"),
        ("FREQ=MONTHLY;BYWEEKNO=1", "BYWEEKNO doesn't go with FREQ=MONTHLY"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "'0' can't be in BYMONTHDAY"),
        ("FREQ=MONTHLY;BYMONTH=13", "'13' can't be in BYMONTH"),
        ("FREQ=DAILY;BYSECOND=60", "'60' can't be in BYSECOND"),
        ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS is alone"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never comes"),
        ("FREQ=SECONDLY;BYMONTH=2,4;BYMONTHDAY=-31", "never comes"),
        ("FREQ=YEARLY;BYYEARDAY=1,-366;BYMONTH=12", "never comes"),
        ("FREQ=DAILY RRULE:FREQ=DAILY", "it has 2 RRULE"),
        ("FREQ=DAILY EXRULE:FREQ=DAILY", "'EXRULE:FREQ=DAILY' is no part"),
        ("DTSTART;VALUE=DATE:20261201 FREQ=DAILY", "DTSTART is no single time"),
        ("FREQ=DAILY RDATE;VALUE=PERIOD:20261201T090000/PT1H", "'VALUE=PERIOD' of RDATE"),
        ("DTSTART;TZID=Europe/Berlni:20261201T090000 FREQ=DAILY", "Europe/Berlin"),
        ("DTSTART;TZID=A:20261201T090000 FREQ=DAILY EXDATE;TZID=B:20261201T090000", "A, B"),
        ("FREQ=DAILY EXDATE;TZID=Asia/Tokyo:20261201T090000", "Give --tz Asia/Tokyo"),
        ("FREQ=DAILY;" * 5000, "it has no RRULE"),
    ],
)
def test_what_is_refused_says_where(text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        plan(Wishes(rrule=text), NOW, BERLIN)
    assert said in str(caught.value)
    assert caught.value.field == "rrule"
    assert len(str(caught.value)) < 250


NEVER = (
    "FREQ=SECONDLY;BYSETPOS=2;BYHOUR=1", "FREQ=MINUTELY;BYSECOND=1,2;BYSETPOS=9",
    "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=300", "FREQ=YEARLY;BYWEEKNO=30;BYMONTH=1",
    "DTSTART:20261201T043000 FREQ=MINUTELY;INTERVAL=60;BYMINUTE=31",
    "DTSTART:20261201T043000 FREQ=HOURLY;INTERVAL=24;BYHOUR=5",
    "DTSTART:20261201T043000 FREQ=SECONDLY;INTERVAL=60;BYSECOND=1",
    "FREQ=MINUTELY;INTERVAL=1000000000;BYDAY=MO",
)  # fmt: skip
RARE = (
    "FREQ=SECONDLY;INTERVAL=1000000000;BYMINUTE=0,1,2,3,4,5,6,7,8,9",
    "FREQ=YEARLY;INTERVAL=999999999", "FREQ=HOURLY;INTERVAL=1000000000",
    "FREQ=DAILY;INTERVAL=1000000000", "FREQ=WEEKLY;INTERVAL=1000000000",
    "FREQ=MONTHLY;INTERVAL=1000000000", "FREQ=SECONDLY;INTERVAL=86399;BYHOUR=5;BYMINUTE=5",
    "FREQ=SECONDLY;BYHOUR=23;BYMINUTE=59;BYSECOND=59;BYMONTH=2;BYMONTHDAY=29;BYDAY=SU",
    "FREQ=YEARLY;BYDAY=53MO;BYMONTHDAY=31",
)  # fmt: skip


@pytest.mark.parametrize("text", [*NEVER, *RARE])
def test_what_never_or_rarely_comes_is_answered_in_bounded_time(text: str) -> None:
    """What names nothing for a century has ended; DTSTART is named all the same."""
    begun = process_time()
    try:
        schedule, _ = plan(Wishes(rrule=text), NOW, BERLIN)
    except InvalidInput:
        assert text in NEVER
    else:
        found = list(islice(occurrences(schedule), 3))
        assert len(found) == 1 if text in NEVER else 1 <= len(found) <= 3
    assert process_time() - begun < 5, "a walk through the calendar"


def test_twenty_years_on_a_rule_of_minutes_is_not_walked() -> None:
    schedule = Schedule(RRULE, "2006-01-01T00:00:30", "Europe/Berlin", {"rule": "FREQ=MINUTELY"})
    begun = process_time()
    found = next_occurrence(schedule, datetime(2046, 7, 1, 10, tzinfo=UTC))
    assert process_time() - begun < 0.2
    assert found is not None
    assert found.instant == datetime(2046, 7, 1, 10, 0, 30, tzinfo=UTC)


def named(
    text: str, at: str | None = None, from_: str | None = None
) -> tuple[list[str], tuple[str, ...]]:
    """The first times of a rule as planned, and the notes."""
    schedule, notes = plan(Wishes(rrule=text, at=at, from_=from_), NOW, BERLIN)
    return [f"{one.local:%d %b %H:%M}" for one in islice(occurrences(schedule), 4)], notes


def test_every_hour_runs_by_the_clock() -> None:
    """In the repeated hour twice, in the skipped one not."""
    found, _ = named("FREQ=HOURLY;COUNT=5", at="2027-10-31T01:00")
    assert found == ["31 Oct 01:00", "31 Oct 02:00", "31 Oct 02:00", "31 Oct 03:00"]
    found, _ = named("FREQ=MINUTELY;INTERVAL=30", at="2027-03-28T01:30")
    assert found == ["28 Mar 01:30", "28 Mar 03:00", "28 Mar 03:30", "28 Mar 04:00"]


def test_without_a_start_it_begins_with_the_next_that_fits_and_says_so() -> None:
    found, notes = named("FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=9")
    assert found[:2] == ["23 Nov 09:00", "26 Nov 09:00"]
    assert notes == ("The rule has no DTSTART: it begins Mon 23 Nov 2026, 09:00",)
    assert named("FREQ=DAILY")[0][0] == "22 Nov 14:31"
    assert named("FREQ=DAILY", at="09:00")[0][0] == "23 Nov 09:00"
    assert named("FREQ=DAILY", at="09:00", from_="2026-12-24")[0][0] == "24 Dec 09:00"


def test_a_first_that_the_rule_does_not_name_counts_and_is_said() -> None:
    found, notes = named("FREQ=WEEKLY;BYDAY=MO;COUNT=2", at="2026-12-01T09:00")
    assert found == ["01 Dec 09:00", "07 Dec 09:00"]
    assert "Tue 1 Dec 2026, 09:00, is not named by the rule" in notes[0]


def test_of_a_rule_that_has_begun_what_is_past_is_left_out() -> None:
    """The beat of it stays, and its count."""
    found, notes = named("DTSTART:20261120T090000 RRULE:FREQ=DAILY;INTERVAL=2;COUNT=4")
    assert found == ["24 Nov 09:00", "26 Nov 09:00"]
    assert "began on Fri 20 Nov 2026" in notes[0]


def test_extra_dates_and_exceptions() -> None:
    text = (
        "DTSTART;TZID=Europe/Berlin:20261201T090000\r\nRRULE:FREQ=DAILY;COUNT=3\r\n"
        "EXDATE:20261202T080000Z\r\nRDATE:20261205T1\r\n 00000,20261201T090000\r\n"
    )
    assert named(text)[0] == ["01 Dec 09:00", "03 Dec 09:00", "05 Dec 10:00"]
    days = "FREQ=DAILY;UNTIL=20261204 EXDATE;VALUE=DATE:20261202 RDATE;VALUE=DATE:20261206"
    found, _ = named(days, at="2026-12-01T09:00")
    assert found == ["01 Dec 09:00", "03 Dec 09:00", "04 Dec 09:00", "06 Dec 09:00"]


def test_a_rule_in_another_zone_is_of_that_zone_and_says_so() -> None:
    schedule, notes = plan(Wishes(rrule="DTSTART:20261201T090000Z FREQ=DAILY"), NOW, BERLIN)
    assert schedule.tz == "UTC"
    assert notes == ("The rule's times are in UTC",)
    first = next_occurrence(schedule, None)
    assert first is not None
    assert first.instant == datetime.combine(date(2026, 12, 1), time(9), UTC)
