"""Weekly slots: none lost or doubled, whatever the clocks do; the next free one."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postsched.domain.errors import InvalidInput
from postsched.domain.slots import Slot, instants, next_free
from postsched.domain.weekdays import clock, day_names, weekdays

ZONES = ("Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia")
CHANGES = {
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),
    "Pacific/Apia": (date(2011, 12, 30), date(2012, 4, 1), date(2012, 9, 30)),
}
"""Days on which the clocks of those zones change; Apia skipped the whole of the first."""
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def by_hand(slots: list[Slot], first: date, last: date) -> list[datetime]:
    """What slots name on those local days, a day and a slot at a time: an instant whose wall clock
    shows the time, else (a gap) as far behind the gap's beginning as the time is."""
    found = set()
    for slot in slots:
        zone = ZoneInfo(slot.tz)
        for n in range((last - first).days + 1):
            day = first + timedelta(days=n)
            if day.weekday() == slot.day:
                found.add(datetime.combine(day, slot.at, zone).astimezone(UTC))
    return sorted(found)


@pytest.mark.parametrize("tz", ZONES)
def test_none_is_lost_or_doubled_when_the_clocks_change(tz: str) -> None:
    """A slot every quarter of an hour, all week, over every change."""
    slots = [Slot(d, time(h, m), tz) for d in range(7) for h in range(24) for m in (0, 15, 30, 45)]
    for change in CHANGES[tz]:
        first, last = change - timedelta(days=3), change + timedelta(days=3)
        expected = by_hand(slots, first, last)
        start = by_hand([Slot(first.weekday(), time(0), tz)], first, first)[0]
        found = list(islice(instants(slots, start - timedelta(microseconds=1)), len(expected)))
        assert found == expected
        assert all(later > sooner for sooner, later in pairwise(found))
        counts = {"Europe/Berlin": {-4, 0}, "Australia/Lord_Howe": {-2, 0}}.get(tz, {-96, -4, 0})
        assert len(found) - 7 * 96 in counts  # a skipped time is the same instant as a later one


SLOTS = st.builds(
    Slot, st.integers(0, 6), st.times().map(lambda at: at.replace(microsecond=0, fold=0)),
    st.sampled_from(ZONES),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.lists(SLOTS, min_size=1, max_size=8),
    st.integers(0, 19 * 365 * 86_400),
)
def test_any_slots_from_any_instant(slots: list[Slot], seconds: int) -> None:
    after = datetime(2011, 11, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    found = list(islice(instants(slots, after), 40))
    expected = by_hand(
        slots, after.date() - timedelta(days=4), found[-1].date() + timedelta(days=4)
    )
    assert found == [one for one in expected if one > after][:40]


def test_ends_of_the_calendar() -> None:
    slot = Slot(0, time(9), "Pacific/Apia")
    assert list(instants([slot], datetime.max.replace(tzinfo=UTC))) == []
    assert next(instants([slot], datetime.min.replace(tzinfo=UTC))).year == 2
    assert list(instants([], NOON)) == []


def test_the_next_free_one_keeps_its_distance() -> None:
    slots = [Slot(day, time(hour), "UTC") for day in range(7) for hour in (9, 10, 17)]
    free = [datetime(2026, 11, 27, 17, tzinfo=UTC), datetime(2026, 11, 28, 9, tzinfo=UTC)]
    assert next_free(slots, NOON, ()) == free[0]
    assert next_free(slots, NOON, {free[0]}) == free[1]
    spacing = timedelta(minutes=90)
    near = [free[0] + timedelta(minutes=89)]
    assert next_free(slots, NOON, (), near, spacing) == free[1]
    near = [free[0] + timedelta(minutes=90), free[0] - timedelta(minutes=90)]
    assert next_free(slots, NOON, (), near, spacing) == free[0]
    assert next_free(slots, NOON, {free[0], free[1]}, (), spacing) == free[1] + 8 * timedelta(
        hours=1
    )
    assert next_free([], NOON, ()) is None


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon-fri", "mon-fri"), ("Sat,SUN", "sat,sun"), ("fri-mon", "mon,fri-sun"),
        ("daily", "daily"), ("mon-sun", "daily"), ("weekdays", "mon-fri"), ("weekend", "sat,sun"),
        ("tuesday,tue , thu", "tue,thu"),
    ],
)  # fmt: skip
def test_days(text: str, days: str) -> None:
    assert day_names(weekdays(text)) == days
    assert weekdays(days) == weekdays(text)


@given(st.text(max_size=12) | st.from_regex(r"[a-z,-]{0,9}", fullmatch=True))
def test_any_text_is_days_or_a_time_or_refused(text: str) -> None:
    for read in (weekdays, clock):
        try:
            read(text)
        except InvalidInput:
            continue


@pytest.mark.parametrize(
    ("text", "at"),
    [("9:00", "09:00:00"), ("17:30:15", "17:30:15"), ("12am", "00:00:00"), ("5:30 pm", "17:30:00")],
)
def test_times(text: str, at: str) -> None:
    assert clock(text).isoformat() == at


@pytest.mark.parametrize("text", ["", "9", "24:00", "13pm", "0am", "9:60", "9:0", "٩:٠٠"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(InvalidInput, match="is no time of day"):
        clock(text)
