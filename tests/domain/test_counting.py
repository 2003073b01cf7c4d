"""Lengths of text as networks count them."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from postsched.domain.capabilities import TextRules, Unit
from postsched.domain.counting import byte_length, graphemes, length, units

MASTODON = TextRules(500, Unit.GRAPHEMES, 23, mention_domain_free=True, warning_counts=True)
FAMILY = "👨‍👩‍👧‍👦"
FLAG = "🇩🇪"


@pytest.mark.parametrize(
    ("text", "graphemes_", "code_points", "utf16", "weighted", "emoji_bytes"),
    [
        ("", 0, 0, 0, 0, 0),
        ("Hello", 5, 5, 5, 5, 5),
        ("a\r\nb", 3, 4, 4, 4, 4),
        ("Grüße — “so” …", 14, 14, 14, 15, 14),
        ("e\u0301", 1, 2, 2, 1, 2),
        ("日本語", 3, 3, 3, 6, 3),
        (FAMILY, 1, 7, 11, 2, 25),
        (FLAG, 1, 2, 4, 2, 8),
        (FLAG * 3, 3, 6, 12, 6, 24),
        ("👍🏽", 1, 2, 4, 2, 8),
        ("1️⃣", 1, 3, 3, 2, 7),
        ("🏴󠁧󠁢󠁳󠁣󠁴󠁿", 1, 7, 14, 2, 28),
        ("각", 1, 1, 1, 2, 1),
        ("\u200b", 1, 1, 1, 1, 1),
    ],
)
def test_units(
    text: str, graphemes_: int, code_points: int, utf16: int, weighted: int, emoji_bytes: int
) -> None:
    counted = [units(text, unit) for unit in Unit]
    assert counted == [graphemes_, code_points, utf16, weighted, emoji_bytes]


def test_every_unit_is_counted() -> None:
    assert list(Unit) == [
        Unit.GRAPHEMES, Unit.CODE_POINTS, Unit.UTF16, Unit.WEIGHTED, Unit.EMOJI_BYTES,
    ]  # fmt: skip


@given(st.text())
def test_utf16_and_bytes_are_those_of_the_encodings(text: str) -> None:
    assert units(text, Unit.UTF16) == len(text.encode("utf-16-le", "surrogatepass")) // 2
    assert byte_length(text) == len(text.encode("utf-8", "surrogatepass"))


@given(st.text() | st.text("a\r\n\u00e4\u02ff\u0300\u200d\u2019\u2028\u205f\u20bf\u20c0\u20d0é—👍"))
def test_the_short_way_counts_as_the_long_one(text: str) -> None:
    assert graphemes(text) == len(regex.findall(r"\X", text))


def test_each_character_of_the_short_way_stands_alone() -> None:
    from postsched.domain.counting import _SINGLE

    alone = [char for char in map(chr, range(0x3000)) if _SINGLE.fullmatch(char)]
    assert len(alone) > 800
    joining = regex.compile(r"[\p{GCB=EX}\p{GCB=SM}\p{GCB=PP}\p{GCB=ZWJ}\p{GCB=RI}\p{GCB=L}]")
    assert not [char for char in alone if joining.match(char)]


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("https://example.com", 23),
        ("https://e.io/" + "a" * 300, 23),
        ("see https://example.com/a?b=c&d#e now", 4 + 23 + 4),
        ("(https://example.com/a)", 25),
        ("https://example.com/a_(b)", 23),
        ("https://example.com/a.", 24),
        ("https://example.com, then", 23 + 6),
        ("https://example.com/?q=a.", 24),
        ("https://münchen.example/ä", 23),
        ("http://a.example http://b.example", 47),
        ("example.com/abc", 15),
        ("ftp://example.com", 17),
        ("https://localhost/abc", 21),
        ("xhttps://example.com", 20),
        ("https://example.com_", 20),
        ("https://example.com/" + "a" * 5_000, 5_020),
        ("@user@example.com hi", 8),
        ("@user.name@sub.example.com", 10),
        ("@user", 5),
        ("a@b.example.com", 15),
        ("me@user@example.com", 19),
        ("https://example.com/@user@example.com", 23),
        ("@user@example.com" * 2, 5 + 17),
    ],
)
def test_mastodons_urls_and_mentions(text: str, counted: int) -> None:
    assert length(text, MASTODON) == counted


def test_a_warning_counts_where_it_does() -> None:
    assert length("abc", MASTODON, "spoiler https://example.com") == 3 + 27
    assert length("abc", TextRules(), "spoiler") == 3


def test_urls_count_in_full_elsewhere() -> None:
    text = "https://example.com/a @user@example.com"
    assert length(text, TextRules(300, Unit.GRAPHEMES)) == len(text)


@pytest.mark.parametrize(
    "text",
    ["@" + "a" * 50_000, "@a" * 25_000, "@a@" + "-" * 50_000, "https://" * 6_000,
     "https://" + "a-" * 25_000, "https://a." + "b." * 25_000, "https://a.bc/" + "(a" * 25_000,
     "https://a.bc/" + "()" * 25_000, "https://a.bc/" + "!" * 50_000,
     "https://a.bc/?" + "." * 50_000, "https://a.bc/" + "(" * 50_000, "https://" + "a" * 50_000],
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    start = time.process_time()
    length(text, MASTODON)
    assert time.process_time() - start < 2


@given(st.text(), st.sampled_from(Unit), st.booleans())
def test_any_text_has_a_length(text: str, unit: Unit, mentions: bool) -> None:
    rules = TextRules(500, unit, 23 if mentions else None, mention_domain_free=mentions)
    assert length(text, rules) >= 0


def test_plain_text_is_counted_without_the_grapheme_library() -> None:
    code = (
        "import sys; from postsched.domain import counting as c; c.graphemes('Grüße — “so” …'); "
        "sys.exit('regex' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
