"""Where texts pass their limit, and how they are parted."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postsched.domain.capabilities import TextRules, Unit
from postsched.domain.cutting import cuts, fits, room

TEN = TextRules(10)
FAMILY = "👨‍👩‍👧‍👦"


@pytest.mark.parametrize(
    ("text", "rules", "expected"),
    [
        ("a" * 10, TEN, None),
        ("a" * 11, TEN, 10),
        (FAMILY * 11, TEN, len(FAMILY) * 10),
        ("你好" * 6, TextRules(10, Unit.WEIGHTED), 5),
        ("😀" * 6, TextRules(10, Unit.UTF16), 5),
        ("é" * 9, TextRules(10, byte_limit=10), 5),
        ("see https://example.com/a/long/path", TEN, 4),
        ("https://example.com/a/long/path", TEN, 0),
        ("https://example.com/a/long/path!", TextRules(10, url_length=10), 31),
        ("anything", TextRules(), None),
    ],
)
def test_how_much_has_room(text: str, rules: TextRules, expected: int | None) -> None:
    assert room(text, rules) == expected


def test_a_caption_and_a_warning_take_their_part() -> None:
    rules = TextRules(10, caption_limit=4, warning_counts=True)
    assert room("a" * 10, rules) is None
    assert room("a" * 10, rules, beside_media=True) == 4
    assert room("a" * 10, rules, warning="abc") == 7


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("short", ["short"]),
        ("one two three", ["one two ", "three"]),
        ("One two. Three four", ["One two. ", "Three four"]),
        ("One two\n\nand. X", ["One two\n\n", "and. X"]),
        ("a" * 25, ["a" * 10, "a" * 10, "a" * 5]),
        ("   " + "a" * 15, ["   aaaaaaa", "a" * 8]),
    ],
)
def test_where_a_text_is_parted(text: str, pieces: list[str]) -> None:
    places = [0, *cuts(text, TEN), len(text)]
    assert [text[a:b] for a, b in itertools.pairwise(places)] == pieces


def test_what_cant_be_parted_is_not() -> None:
    assert cuts("https://example.com/a/long/path and more words", TEN) == ()
    assert cuts("ab " * 2000, TextRules(10)) == ()


def test_a_text_far_too_long_does_not_take_long() -> None:
    counted = TextRules(300)
    text = "日本語 👨‍👩‍👧‍👦 and https://example.com/a/long/path. " * 20_000
    begun = time.process_time()
    assert room(text, counted) is not None
    assert cuts(text, counted) == ()
    assert time.process_time() - begun < 5


def test_only_the_first_piece_is_a_caption() -> None:
    rules = TextRules(10, caption_limit=4)
    assert cuts("abc defghi jkl", rules, beside_media=True) == (4,)


@given(
    st.text(max_size=200), st.sampled_from(list(Unit)), st.integers(1, 30), st.none() | st.just(40)
)
def test_what_has_room_fits_and_so_does_every_piece(
    text: str, unit: Unit, limit: int, size: int | None
) -> None:
    rules = TextRules(
        limit, unit, url_length=23 if unit is Unit.WEIGHTED else None, byte_limit=size
    )
    end = room(text, rules)
    if end is None:
        assert fits(text, rules)
        return
    assert end == 0 or fits(text[:end], rules)
    if places := cuts(text, rules):
        marks = [0, *places, len(text)]
        pieces = [text[a:b].strip() for a, b in itertools.pairwise(marks)]
        assert all(fits(piece, rules) for piece in pieces)
        assert "".join("".join(pieces).split()) == "".join(text.split())
