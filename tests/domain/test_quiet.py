"""Quiet hours: over midnight and every change of the clocks; spread and jitter around them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postsched.domain.errors import InvalidInput
from postsched.domain.quiet import parse_quiet
from postsched.domain.timing import Offsets, Pace, due_at, jittered, pace_of
from tests.domain.test_slots import CHANGES, ZONES

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    """A local time."""
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("hours", "when", "until"),
    [
        ("22:00-07:00", "2026-11-27 23:30", "2026-11-28 07:00"),
        ("22:00-07:00", "2026-11-28 06:59:59.999999", "2026-11-28 07:00"),
        ("22:00-07:00", "2026-11-27 22:00", "2026-11-28 07:00"),
        ("22:00-07:00", "2026-11-28 07:00", None),
        ("22:00-07:00", "2026-11-27 21:59:59.999999", None),
        ("12:00-13:00, 13:00-14:00", "2026-11-27 12:30", "2026-11-27 14:00"),
        ("12:00-13:00, 12:30-14:00", "2026-11-27 12:10", "2026-11-27 14:00"),
        ("mon-fri 22:00-07:00, sat,sun 20:00-10:00", "2026-11-27 23:00", "2026-11-28 07:00"),
        ("mon-fri 22:00-07:00, sat,sun 20:00-10:00", "2026-11-28 21:00", "2026-11-29 10:00"),
        ("mon-fri 22:00-07:00, sat,sun 20:00-10:00", "2026-11-28 08:00", None),
        ("weekend 00:00-24:00", "2026-11-28 00:00", "2026-11-30 00:00"),
        ("fri 18:00-24:00; sat,sun 00:00-24:00; mon 00:00-08:00", "2026-11-27 18:00",
         "2026-11-30 08:00"),
        ("22:00-02:30", "2026-10-25 02:45", "2026-10-25 02:30+01:00"),
        ("22:00-02:30", "2026-03-28 23:00", "2026-03-29 03:30"),
    ],
)  # fmt: skip
def test_until_when_it_is_quiet(hours: str, when: str, until: str | None) -> None:
    found = parse_quiet(hours).until(at(when), BERLIN)
    expected = datetime.fromisoformat(until) if until else None
    assert found == (expected if expected is None or expected.tzinfo else at(until or ""))


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        ("", "neither"), ("   ", "neither"), ("22:00", "neither days nor hours"),
        ("22:00-07:00-08:00", "neither"), ("mon-fri", "names no hours"), ("22-7", "neither"),
        ("22:00-25:00", "no time of day"), ("22:00-07:00 sat", "can't be read"),
        ("22:00-22:00", "ends where it begins"), ("00:00-24:00", "leave no time"),
        ("12:00-00:00, 00:00-12:00", "leave no time"), ("x" * 1000, "neither"),
        ("24:00-07:00", "no time of day"), ("mon 22:00-07:00 " * 100, "can't be read"),
    ],
)  # fmt: skip
def test_what_can_not_be(hours: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        parse_quiet(hours)
    assert caught.value.hint


@given(st.text(alphabet="monfri0123456789:-, ;satsu", max_size=30) | st.text(max_size=10))
def test_any_text_is_quiet_hours_or_refused(text: str) -> None:
    try:
        parse_quiet(text)
    except InvalidInput:
        return


CLOCKS = st.times().map(lambda one: one.replace(second=0, microsecond=0, fold=0))


@settings(max_examples=150, deadline=None)
@given(
    tz=st.sampled_from(ZONES), start=CLOCKS, end=CLOCKS,
    days=st.sets(st.integers(0, 6), min_size=1), back=st.integers(-96, 96), which=st.integers(0, 2),
)  # fmt: skip
def test_nothing_goes_out_while_the_clock_shows_quiet_hours(
    tz: str, start: time, end: time, days: set[int], back: int, which: int
) -> None:
    """Whatever the clocks do; and it ends, and never earlier than without quiet hours."""
    if start == end:
        return
    zone = ZoneInfo(tz)
    names = ",".join(["mon", "tue", "wed", "thu", "fri", "sat", "sun"][day] for day in sorted(days))
    quiet = parse_quiet(f"{names} {start:%H:%M}-{end:%H:%M}")
    change = CHANGES[tz][which % len(CHANGES[tz])]
    instant = datetime.combine(change, time(2, 7), zone).astimezone(UTC) + back * HOUR / 4
    out = quiet.until(instant, zone)
    shown = (out or instant).astimezone(zone)
    assert not is_shown(shown, start, end, days)
    if out is None:
        return
    assert out > instant
    assert quiet.until(out, zone) is None
    last = (out - timedelta(microseconds=1)).astimezone(zone)
    assert quiet.until(last, zone) == out
    usual = date(2026, 6, 1) <= instant.date()  # far from a change the clock says it all
    if usual and abs((instant - datetime.combine(change, time(2), zone)).days) > 2:
        assert is_shown(last, start, end, days)


def is_shown(local: datetime, start: time, end: time, days: set[int]) -> bool:
    """Whether a clock on the wall shows quiet hours."""
    now, today = local.time(), local.weekday()
    if start < end:
        return today in days and start <= now < end
    return (today in days and now >= start) or ((today - 1) % 7 in days and now < end)


def test_at_the_ends_of_the_calendar() -> None:
    quiet = parse_quiet("22:00-07:00")
    near, far = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert quiet.until(near, BERLIN) is None
    assert quiet.until(far, BERLIN) is None
    assert due_at(far, Offsets(jitter=HOUR, key="k"), Pace(BERLIN)) == far


def test_spread_is_even_and_jitter_only_later_and_always_the_same() -> None:
    noon = at("2026-11-27 12:00")
    spread = [due_at(noon, Offsets(HOUR, None, n, 4), Pace(BERLIN)) - noon for n in range(4)]
    assert spread == [timedelta(minutes=20) * n for n in range(4)]
    assert due_at(noon, Offsets(HOUR), Pace(BERLIN)) == noon
    drawn = [jittered(HOUR, f"post/{n}", noon) for n in range(400)]
    assert drawn == [jittered(HOUR, f"post/{n}", noon) for n in range(400)]
    assert timedelta(0) <= min(drawn) < HOUR / 20
    assert HOUR * 19 / 20 < max(drawn) <= HOUR
    assert len(set(drawn)) == 400
    assert jittered(HOUR, "post/1", noon) != jittered(HOUR, "post/1", noon + HOUR)
    assert jittered(timedelta(microseconds=1), "k", noon) <= timedelta(microseconds=1)


def test_what_lies_in_quiet_hours_is_spread_out_behind_them() -> None:
    pace = Pace(BERLIN, parse_quiet("22:00-07:00"))
    night, morning = at("2026-11-27 23:00"), at("2026-11-28 07:00")
    assert [due_at(night, Offsets(HOUR, None, n, 3), pace) for n in range(3)] == [
        morning, morning + HOUR / 2, morning + HOUR,
    ]  # fmt: skip
    evening = at("2026-11-27 21:30")
    assert due_at(evening, Offsets(HOUR, None, 1, 2), pace) == morning


def test_an_account_has_its_own_pace_or_that_of_all() -> None:
    all_quiet = parse_quiet("22:00-07:00")
    assert pace_of({}, all_quiet, HOUR, BERLIN) == Pace(BERLIN, all_quiet, HOUR)
    own = {"quiet_hours": "12:00-13:00", "min_spacing": "30m"}
    found = pace_of(own, all_quiet, HOUR, BERLIN)
    assert (found.quiet and found.quiet.text, found.spacing) == ("12:00-13:00", HOUR / 2)
    none = {"quiet_hours": "none", "min_spacing": "none"}
    assert pace_of(none, all_quiet, HOUR, BERLIN) == Pace(BERLIN)
    with pytest.raises(InvalidInput):
        pace_of({"min_spacing": "60d"}, None, None, BERLIN)
