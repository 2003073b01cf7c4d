"""Zones by name: nothing but a zone or one clear sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postsched.domain.errors import InvalidInput
from postsched.domain.zones import zone_named


def test_finds_a_zone() -> None:
    assert zone_named("Europe/Berlin").key == "Europe/Berlin"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("Europe/Berln", "Europe/Berlin"),
        ("new york", "America/New_York"),
    ],
)
def test_names_the_nearest_zone(name: str, meant: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        zone_named(name)
    assert meant in str(caught.value.hint)


@pytest.mark.parametrize(
    "name",
    ["", " ", "Europe", "../../etc/passwd", "/etc/passwd", "a\0b", "CET-1CEST", "Ü", "x" * 5_000],
)
def test_refuses_what_is_no_zone(name: str) -> None:
    with pytest.raises(InvalidInput, match="is no time zone"):
        zone_named(name)


@given(st.text())
def test_any_text_is_a_zone_or_refused(name: str) -> None:
    try:
        zone = zone_named(name)
    except InvalidInput:
        return
    assert zone.key == name
