"""What counts as the same text, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from postsched.domain.capabilities import Capabilities, CommentAs
from postsched.domain.post import Content, Media, Part
from postsched.domain.repetition import Memory, mark, texts

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("caf\u00e9", "cafe\u0301", True),
        ("one  two", " one\ntwo ", True),
        ("One", "one", False),
        ("half \ud800", "half \ud800", True),
    ],
)
def test_what_is_equal(one: str, other: str, equal: bool) -> None:
    assert (mark(one) == mark(other)) is equal


def test_it_remembers_for_a_span_and_what_was_first() -> None:
    memory = Memory(DAY)
    assert memory.meet("Hello", NOON, 1) is None
    assert memory.meet("Hello", NOON + DAY / 2, 2) == (NOON, 1)
    assert memory.meet("Hello", NOON + DAY, 3) is None, "the refused one leaves no memory"
    memory.note("Hello", NOON + DAY * 1.5, 4)
    assert memory.meet("Hello", NOON + DAY * 2.4, 5) == (NOON + DAY * 1.5, 4)


def test_what_stands_as_a_post_of_its_own() -> None:
    content = Content(
        "One", then=(Part("", (Media("a.png"),)), Part("Two")), comment="Three",
        link="https://example.org", variants={"other": "Else"},
    )  # fmt: skip
    plain = Capabilities(comment=CommentAs.REPLY)
    said = [("text", "One\n\nhttps://example.org"), ("then", "Two"), ("comment", "Three")]
    assert texts(content, "me", plain) == said
    apart = Capabilities(comment=CommentAs.COMMENT, link_card=True)
    assert texts(content, "me", apart) == [("text", "One"), ("then", "Two")]
    assert texts(content, "other", apart) == [("text", "Else")]
