"""The system's time zone: TZ, or its own setting; what is no zone's name is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from postsched.domain.errors import InvalidInput
from postsched.localzone import system_zone


@pytest.mark.parametrize(
    ("tz", "key"),
    [("Europe/Paris", "Europe/Paris"), (":Asia/Tokyo", "Asia/Tokyo"), ("", "UTC")],
)
def test_the_systems_zone_is_what_tz_says(tz: str, key: str) -> None:
    assert system_zone({"TZ": tz}).key == key


def test_a_zone_file_in_tz_is_known_by_its_name() -> None:
    if not Path("/usr/share/zoneinfo/Asia/Tokyo").exists():
        pytest.skip("this system keeps its zones elsewhere")
    assert system_zone({"TZ": "/usr/share/zoneinfo/Asia/Tokyo"}).key == "Asia/Tokyo"


@pytest.mark.parametrize("tz", ["Nowhere/City", "CET-1CEST,M3.5.0,M10.5.0/3", "/etc/passwd", "a\0"])
def test_a_broken_tz_is_named(tz: str) -> None:
    with pytest.raises(InvalidInput, match="the environment variable TZ is"):
        system_zone({"TZ": tz})


def test_without_tz_the_system_is_asked() -> None:
    assert system_zone({}).key
