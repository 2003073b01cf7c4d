"""When clocks change: found in every zone, to the second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from postsched.domain.clock_changes import clock_changes

YEAR = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def test_a_year_in_berlin() -> None:
    forward, back = clock_changes(ZoneInfo("Europe/Berlin"), *YEAR)
    assert forward.instant == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert (f"{forward.before:%H:%M}", f"{forward.after:%H:%M}") == ("02:00", "03:00")
    assert forward.by == timedelta(hours=1)
    assert back.instant == datetime(2026, 10, 25, 1, tzinfo=UTC)
    assert (f"{back.before:%H:%M}", f"{back.after:%H:%M}") == ("03:00", "02:00")
    assert back.by == -timedelta(hours=1)
    exactly = list(clock_changes(back.zone, back.instant - timedelta(seconds=1), back.instant))
    assert [one.instant for one in exactly] == [back.instant]
    assert not list(clock_changes(back.zone, back.instant, YEAR[1]))
    assert not list(clock_changes(ZoneInfo("UTC"), *YEAR))


@pytest.mark.parametrize(
    ("name", "first", "year"),
    [
        ("Africa/Casablanca", 2024, 2),
        ("Australia/Lord_Howe", 2025, 2),
        ("Pacific/Apia", 2011, 1),
        ("America/Caracas", 2007, 1),
    ],
)
def test_it_finds_what_looking_at_every_hour_finds(name: str, first: int, year: int) -> None:
    zone, hour = ZoneInfo(name), timedelta(minutes=30)
    start, end = datetime(first, 1, 1, tzinfo=UTC), datetime(first + year, 1, 1, tzinfo=UTC)
    seen, at = [], start
    while at < end:
        if at.astimezone(zone).utcoffset() != (at + hour).astimezone(zone).utcoffset():
            seen.append(at + hour)
        at += hour
    found = list(clock_changes(zone, start, end))
    assert [one.instant for one in found] == seen
    assert found
    for one in found:
        assert one.before.replace(tzinfo=None) + one.by == one.after.replace(tzinfo=None)
