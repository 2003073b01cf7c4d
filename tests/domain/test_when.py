"""WHEN: a table of phrases, clock changes, refusals, and properties over any text."""

from __future__ import annotations

import locale
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from postsched.domain.errors import InvalidInput
from postsched.domain.when import Moment, PastTime, describe, understand
from postsched.domain.zones import ClockChange, resolve

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 13, 30, 5, 250_000, tzinfo=UTC)
"""A Sunday, 14:30:05.25 in Berlin."""

ZONE_NAMES = (
    "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Australia/Lord_Howe",
    "Pacific/Apia", "Pacific/Kiritimati", "Asia/Kathmandu", "Africa/Casablanca", "Asia/Gaza",
    "America/Sao_Paulo", "Antarctica/Troll", "Etc/GMT+12",
)  # fmt: skip
FIRST, LAST = (datetime(year, 1, 1) for year in (1975, 2090))  # noqa: DTZ001 - local times


def changes(zone: ZoneInfo, year: int) -> list[datetime]:
    """The days (UTC) of that year on which the clocks of the zone are changed."""
    days = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(366)]
    offsets = [day.astimezone(zone).utcoffset() for day in days]
    return [day for day, a, b in zip(days, offsets, offsets[1:], strict=False) if a != b]


def near_a_change(zone: ZoneInfo, year: int) -> st.SearchStrategy[datetime]:
    """Instants of a day with a clock change, if the year has one."""
    days = changes(zone, year) or [datetime(year, 1, 1, tzinfo=UTC)]
    minutes = st.integers(0, 24 * 60 * 2).map(lambda n: timedelta(minutes=n / 2))
    return st.builds(lambda day, into: day + into, st.sampled_from(days), minutes)


ZONES = st.sampled_from(ZONE_NAMES).map(ZoneInfo)
INSTANTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC)) | st.builds(
    lambda name, year: (ZoneInfo(name), year), st.sampled_from(ZONE_NAMES), st.integers(1975, 2089)
).flatmap(lambda place: near_a_change(*place))
CHANGING = st.tuples(ZONES, st.integers(1975, 2089)).flatmap(
    lambda place: st.tuples(st.just(place[0]), near_a_change(*place))
)
"""A zone and an instant near a change of its clocks."""


def local(text: str, now: datetime = NOW, zone: ZoneInfo = BERLIN) -> str:
    return understand(text, now, zone).instant.astimezone(zone).isoformat()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "2026-11-22T14:30:05.250000+01:00"),
        ("  NOW ", "2026-11-22T14:30:05.250000+01:00"),
        ("2026-12-01T09:00", "2026-12-01T09:00:00+01:00"),
        ("2026-12-01 09:00", "2026-12-01T09:00:00+01:00"),
        ("2026-12-01  at 9:00", "2026-12-01T09:00:00+01:00"),
        ("2026-12-01 9am", "2026-12-01T09:00:00+01:00"),
        ("2026-12-01 noon", "2026-12-01T12:00:00+01:00"),
        ("2026-12-01 09:00:30.5+01:00", "2026-12-01T09:00:30.500000+01:00"),
        ("2026-12-01T09:00:30,5-0530", "2026-12-01T15:30:30.500000+01:00"),
        ("2026-12-01T09:00+05", "2026-12-01T05:00:00+01:00"),
        ("2026-12-01t09:00z", "2026-12-01T10:00:00+01:00"),
        ("2026-12-01T09:00:00.123456789Z", "2026-12-01T10:00:00.123456+01:00"),
        ("14:30", "2026-11-23T14:30:00+01:00"),
        ("14:30:05.2", "2026-11-23T14:30:05.200000+01:00"),
        ("14:30:05.3", "2026-11-22T14:30:05.300000+01:00"),
        ("at 14:31", "2026-11-22T14:31:00+01:00"),
        ("9am", "2026-11-23T09:00:00+01:00"),
        ("9 AM", "2026-11-23T09:00:00+01:00"),
        ("9:30pm", "2026-11-22T21:30:00+01:00"),
        ("12am", "2026-11-23T00:00:00+01:00"),
        ("12:15pm", "2026-11-23T12:15:00+01:00"),
        ("noon", "2026-11-23T12:00:00+01:00"),
        ("Midnight", "2026-11-23T00:00:00+01:00"),
        ("in 2 hours", "2026-11-22T16:30:05.250000+01:00"),
        ("in 90 seconds", "2026-11-22T14:31:35.250000+01:00"),
        ("in 0.5 s", "2026-11-22T14:30:05.750000+01:00"),
        ("in 250ms", "2026-11-22T14:30:05.500000+01:00"),
        ("in 1h30m", "2026-11-22T16:00:05.250000+01:00"),
        ("in 1h 30 min", "2026-11-22T16:00:05.250000+01:00"),
        ("in 1.5 hours", "2026-11-22T16:00:05.250000+01:00"),
        ("in a minute", "2026-11-22T14:31:05.250000+01:00"),
        ("in an hour and 5 minutes", "2026-11-22T15:35:05.250000+01:00"),
        ("in 3 days", "2026-11-25T14:30:05.250000+01:00"),
        ("in 2 weeks, 1 day and 1 hour", "2026-12-07T15:30:05.250000+01:00"),
        ("today 14:31", "2026-11-22T14:31:00+01:00"),
        ("tomorrow 9am", "2026-11-23T09:00:00+01:00"),
        ("tomorrow at 09:00", "2026-11-23T09:00:00+01:00"),
        ("tomorrow noon", "2026-11-23T12:00:00+01:00"),
        ("sun 14:30", "2026-11-29T14:30:00+01:00"),
        ("Sunday 15:00", "2026-11-22T15:00:00+01:00"),
        ("mon 9:00", "2026-11-23T09:00:00+01:00"),
        ("tues 9:00", "2026-11-24T09:00:00+01:00"),
        ("Wednesday 9pm", "2026-11-25T21:00:00+01:00"),
        ("thurs noon", "2026-11-26T12:00:00+01:00"),
        ("fri, 14:30", "2026-11-27T14:30:00+01:00"),
        ("SATURDAY at 1:02:03.004", "2026-11-28T01:02:03.004000+01:00"),
    ],
)
def test_phrases(text: str, expected: str) -> None:
    assert local(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", " ", "soon", "9", "14", "fri 14", "14:30+01:00", "in", "in 5", "in hours",
     "in 2 hours,", "in 2 hours and", "in -2 hours", "in 30 min 1 hour",
     "in 1 h 1 h", "in 1.5 days", "1h30m", "tomorrow 9", "2026-12-01 09", "2026-12-1 09:00",
     "2026-12-01T09:00:30.Z", "now now", "next friday 9am", "fri sat 9:00",
     "２０２６-12-01T09:00", "9:3", "009:30", "1795420800", "9:30 pmm", "\0", "\ud800"],
)  # fmt: skip
def test_nonsense_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not understood as a time") as caught:
        understand(text, NOW, BERLIN)
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    ["2026-02-30 10:00", "2026-13-01 10:00", "0000-01-01 10:00", "25:00", "24:00", "10:60",
     "10:00:60", "13pm", "0am", "0:30am", "2026-12-01T09:00+24:00", "2026-12-01T09:00+01:60",
     "9999-12-31T23:59-12:00", "9999-06-01T00:00", "0001-01-01T00:00+14:00", "0001-06-01 00:00Z",
     "in 99999999999 days", "in " + "9" * 90 + " s", "in 3000000 days", "in 500000 weeks"],
)  # fmt: skip
def test_times_that_do_not_exist_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="there is no such time"):
        understand(text, NOW, BERLIN)


@pytest.mark.parametrize("text", ["2026-12-01", "fri", "Tomorrow", "today"])
def test_a_day_alone_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(InvalidInput, match="is a day without a time") as caught:
        understand(text, NOW, BERLIN)
    assert caught.value.hint == f"Add a time of day, such as '{text.lower()} 09:00'"


def test_the_past_is_refused_with_what_was_understood() -> None:
    with pytest.raises(PastTime) as caught:
        understand("today 14:30", NOW, BERLIN)
    assert "Sun 22 Nov 2026, 14:30 CET, 5 seconds ago" in caught.value.message
    assert caught.value.moment.instant == datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
    with pytest.raises(PastTime):
        understand("2026-11-22T13:30:05.249999Z", NOW, BERLIN)
    assert understand("2026-11-22T13:30:05.25Z", NOW, BERLIN).instant == NOW


@pytest.mark.parametrize(
    ("text", "now", "expected", "note"),
    [
        ("02:30", "2027-03-27T12:00Z", "2027-03-28T03:30:00+02:00", "is skipped by"),
        ("2027-03-28 02:00", "2026-11-22T12:00Z", "2027-03-28T03:00:00+02:00", "is skipped by"),
        ("2027-03-28 03:00", "2026-11-22T12:00Z", "2027-03-28T03:00:00+02:00", None),
        ("in 1 day", "2027-03-27T01:15Z", "2027-03-28T03:15:00+02:00", "is skipped by"),
        ("in 24 hours", "2027-03-27T01:15Z", "2027-03-28T03:15:00+02:00", None),
        ("in 1 day", "2027-03-27T08:00Z", "2027-03-28T09:00:00+02:00", None),
        ("in 24 hours", "2027-03-27T08:00Z", "2027-03-28T10:00:00+02:00", None),
        ("2027-10-31 02:30", "2026-11-22T12:00Z", "2027-10-31T02:30:00+02:00", "comes twice"),
        ("2027-10-31 03:00", "2026-11-22T12:00Z", "2027-10-31T03:00:00+01:00", None),
        ("2027-10-31 02:30+01:00", "2026-11-22T12:00Z", "2027-10-31T02:30:00+01:00", None),
        ("02:30", "2027-10-31T00:45Z", "2027-11-01T02:30:00+01:00", None),
        ("02:50", "2027-10-31T00:45Z", "2027-10-31T02:50:00+02:00", "comes twice"),
        ("in 1 hour", "2027-10-31T00:30Z", "2027-10-31T02:30:00+01:00", None),
    ],
)  # fmt: skip
def test_clock_changes(text: str, now: str, expected: str, note: str | None) -> None:
    moment = understand(text, datetime.fromisoformat(now), BERLIN)
    assert moment.instant.astimezone(BERLIN).isoformat() == expected
    if note is None:
        assert moment.note is None
    else:
        assert note in str(moment.note)


def test_a_whole_day_can_be_skipped() -> None:
    apia = ZoneInfo("Pacific/Apia")
    moment = understand("2011-12-30 09:00", datetime(2011, 12, 1, tzinfo=UTC), apia)
    assert moment.instant.astimezone(apia).isoformat() == "2011-12-31T09:00:00+14:00"
    assert moment.note == (
        "Fri 30 Dec 2011, 09:00 is skipped by a clock change in Pacific/Apia: "
        "it becomes Sat 31 Dec 2011, 09:00"
    )


def test_says_a_time_back() -> None:
    then = datetime(2026, 11, 27, 13, 30, tzinfo=UTC)
    assert describe(then, NOW, BERLIN) == "Fri 27 Nov 2026, 14:30 CET, in 5 days"
    then = datetime(2026, 12, 1, 8, 0, 30, 500_000, tzinfo=UTC)
    assert describe(then, NOW, BERLIN).startswith("Tue 1 Dec 2026, 09:00:30.5 CET")
    assert "05:00:30.5 UTC-03, " in describe(then, NOW, ZoneInfo("America/Sao_Paulo"))
    assert describe(NOW, NOW, ZoneInfo("UTC")) == "Sun 22 Nov 2026, 13:30:05.25 UTC, now"
    # A clock that was read: nobody gave that fraction.
    then = NOW.replace(microsecond=75_702)
    assert describe(then, then, ZoneInfo("UTC")) == "Sun 22 Nov 2026, 13:30:05 UTC, now"
    then = then.replace(second=0)
    assert describe(then, then, ZoneInfo("UTC")) == "Sun 22 Nov 2026, 13:30 UTC, now"


def test_names_do_not_depend_on_the_locale() -> None:
    before = locale.setlocale(locale.LC_TIME)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C"):
        try:
            locale.setlocale(locale.LC_TIME, name)
        except locale.Error:
            continue
        try:
            assert describe(NOW, NOW, BERLIN).startswith("Sun 22 Nov 2026")
            assert local("sunday 15:00") == "2026-11-22T15:00:00+01:00"
        finally:
            locale.setlocale(locale.LC_TIME, before)


WORDS = st.sampled_from(
    ["in", "now", "today", "tomorrow", "fri", "monday", "at", "and", "a", "an", "9am", "12 pm",
     "noon", "midnight", "14:30", "25:61", "2026-12-01", "9999-12-31", "0001-01-01", "T", "Z",
     "+14:00", "-12:00", "1", "2.5", "99999999999", "hours", "h", "m", "s", "days", "weeks", ",",
     "-", ":", ".", "0"]
)  # fmt: skip
PHRASES = st.lists(WORDS, max_size=7).flatmap(
    lambda words: st.sampled_from(["", " "]).map(lambda gap: gap.join(words))
)


@given(st.text() | PHRASES, INSTANTS, ZONES)
@example("in 9999999 weeks", NOW, BERLIN)
@example("0001-01-01T00:00+14:00", NOW, BERLIN)
def test_any_text_is_a_moment_or_refused(text: str, now: datetime, zone: ZoneInfo) -> None:
    try:
        moment = understand(text, now, zone)
    except InvalidInput:
        return
    assert moment.instant >= now
    assert moment.instant.utcoffset() == timedelta(0)
    assert describe(moment.instant, now, zone)


@given(INSTANTS, ZONES, ZONES)
def test_an_iso_time_with_offset_is_the_instant(
    instant: datetime, zone: ZoneInfo, other: ZoneInfo
) -> None:
    text = instant.astimezone(zone).isoformat()
    assert understand(text, instant, other) == Moment(instant)


@given(st.tuples(ZONES, INSTANTS) | CHANGING)
def test_a_local_iso_time_is_the_instant_or_has_a_note(place: tuple[ZoneInfo, datetime]) -> None:
    zone, instant = place
    text = instant.astimezone(zone).replace(tzinfo=None).isoformat()
    moment = understand(text, instant - timedelta(days=2), zone)
    assert moment.instant == instant or "comes twice" in str(moment.note)
    assert moment.instant <= instant


@given(CHANGING)
def test_every_local_time_has_one_instant(place: tuple[ZoneInfo, datetime]) -> None:
    """Against the rule itself: what shows the local time first, or moved by exactly the gap."""
    zone, near = place
    wall = near.replace(tzinfo=None)
    instant, change = resolve(wall, zone)
    shown = instant.astimezone(zone)
    if change is ClockChange.SKIPPED:
        before = (instant - timedelta(days=1)).astimezone(zone).utcoffset()
        after = shown.utcoffset()
        assert before is not None
        assert after is not None
        assert shown.replace(tzinfo=None) - wall == after - before > timedelta(0)
        return
    assert (shown.replace(tzinfo=None, fold=0), shown.fold) == (wall, 0)
    again = [
        later
        for minutes in range(15, 24 * 60, 15)
        if (later := instant + timedelta(minutes=minutes))
        .astimezone(zone)
        .replace(tzinfo=None, fold=0)
        == wall
    ]
    assert bool(again) == (change is ClockChange.REPEATED)


def test_the_changes_are_tried() -> None:
    """The strategy above does reach both kinds of change."""
    seen = {
        resolve(day.replace(tzinfo=None) + timedelta(minutes=30 * n), BERLIN)[1]
        for day in changes(BERLIN, 2027)
        for n in range(48)
    }
    assert seen == {None, ClockChange.SKIPPED, ClockChange.REPEATED}


@given(INSTANTS, ZONES, st.integers(0, 23), st.integers(0, 59))
def test_a_time_of_day_is_within_two_days(
    now: datetime, zone: ZoneInfo, hour: int, minute: int
) -> None:
    moment = understand(f"{hour}:{minute:02}", now, zone)
    assert now < moment.instant <= now + timedelta(days=2)
