"""Little text: whatever is written, LinkedIn shows all of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from postsched.domain.counting import length
from postsched.domain.escaping import escaped
from postsched.platforms.linkedin.ability import COMMENT, RESERVED, TEXT
from postsched.testing.linkedin import LinkedInServer
from postsched.testing.linkedin_text import shown
from postsched.testing.sender import message
from tests.platforms.linkedin.playing import only, out, play

SPECIAL = "\\|{}@[]()<>#*_~"
ACME = "@[Acme & Co](urn:li:organization:123)"
MENTION = re.compile(r"@\[([^\[\]\r\n]+)\]\(urn:li:(?:organization|person):[A-Za-z0-9_-]+\)")
PIECES = st.sampled_from(
    [*SPECIAL, ACME, "@[A_(B)](urn:li:person:x-Y_1)", "@[", "](urn:li:person:a)", "#tag", "##",
     "{hashtag|\\#|tag}", "http://a.example/#b_c?d=(e)", " ", "\n", "a", "1", "é", "日", "👩‍👩‍👧"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=30).map("".join) | st.text()


def test_the_reserved_characters_are_those_of_the_sheet() -> None:
    assert sorted(RESERVED) == sorted(SPECIAL)


@given(TEXTS)
@example(ACME)
@example("\\" + ACME)
@example("@[](urn:li:person:x)")
@example("@[x](urn:li:person:x")
@example("#tag#tag")
@example("\\#tag")
@example("a#b #²")
def test_all_of_a_text_is_shown(text: str) -> None:
    """Mentions as the names in them, everything else as it was written."""
    assert shown(escaped(text, TEXT)) == MENTION.sub(r"\1", text)


@given(TEXTS)
def test_what_is_counted_is_what_is_sent(text: str) -> None:
    assert length(text, TEXT) == len(escaped(text, TEXT))


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("a (b) #c", r"a \(b\) #c"),
        ("# c", r"\# c"),
        ("C#b, x/#y", r"C\#b, x/\#y"),
        ("(#tag)", r"\(#tag\)"),
        ("#日本語 #Zwölf #2026", "#日本語 #Zwölf #2026"),
        ("#snake_case", r"#snake\_case"),
        ("me@example.org", r"me\@example.org"),
        (f"Hi {ACME}!", f"Hi {ACME}!"),
        ("@[A (UK)](urn:li:organization:1)", r"@[A \(UK\)](urn:li:organization:1)"),
        ("@[A](urn:li:share:1)", r"\@\[A\]\(urn:li:share:1\)"),
        ("@[A](https://a.example)", r"\@\[A\]\(https://a.example\)"),
        ("{hashtag|\\#|a}", r"\{hashtag\|\\\#\|a\}"),
        (SPECIAL, "".join(f"\\{one}" for one in SPECIAL)),
        ("1 & 2 - 3; 'x' \"y\" $5 50% ^ ` ! ? + = / , .\n\ttwo", None),
    ],
)
def test_what_is_sent(text: str, sent: str | None) -> None:
    assert escaped(text, TEXT) == (text if sent is None else sent)


def test_the_loopback_server_cuts_as_linkedin_does() -> None:
    assert shown("before (after)") == "before "
    assert shown(r"all \(of\) it") == "all (of) it"
    assert shown("x # y") == "x "
    assert shown("#tag and @[A](urn:li:person:1) and [B]") == "#tag and A and "
    assert shown("@[A(B)](urn:li:person:1)") == ""
    assert shown("odd\\") == "odd"
    assert shown("a\\b") == "a"


def test_it_arrives_whole() -> None:
    text = f"Look (here): {ACME} – 50% off* [really] <now> #deal_of_the_day ~ \\o/"
    with LinkedInServer() as server:
        out(play(server.login(), lambda s: s.send(message(text))))
        (seen,) = server.posts()
        assert seen.text == text.replace(ACME, "Acme & Co")
        assert only(server)["commentary"] == escaped(text, TEXT)


def test_lengths() -> None:
    assert (TEXT.limit, COMMENT.limit) == (3000, 1250)
    assert length("(" * 1500, TEXT) == 3000
    assert length("(" * 1250, COMMENT) == 1250
