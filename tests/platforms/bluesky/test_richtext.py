"""Facets: found as people mean them, and placed by bytes of UTF-8."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postsched.platforms.bluesky.richtext import facets, mentioned, spans

ALICE = {"alice.test": "did:plc:alice"}


def marked(text: str, dids: dict[str, str] = ALICE) -> list[tuple[str, str]]:
    """The marked text of each facet, cut out by its bytes, and what it says."""
    raw, found = text.encode(), []
    for facet in facets(text, dids):
        index, (feature,) = facet["index"], facet["features"]
        (said,) = (value for name, value in feature.items() if name != "$type")
        found.append((raw[index["byteStart"] : index["byteEnd"]].decode(), said))
    return found


@pytest.mark.parametrize(
    "before",
    ["", "Zwölf ", "日本語 ", "👩‍👩‍👧‍👦 ", "e\u0301\u0302 ", "🇩🇪🏳️‍🌈 ", "\U0001d54f ", "x\r\n"],
    ids=["start", "umlaut", "CJK", "emoji family", "combining", "flags", "astral", "line break"],
)
@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("https://example.com/ä?b=c&d#é", "https://example.com/ä?b=c&d#é"),
        ("@alice.test", "did:plc:alice"),
        ("#日本語", "日本語"),
    ],
)
def test_offsets_are_bytes(before: str, word: str, said: str) -> None:
    text = f"{before}{word} 👋 after"
    assert marked(text) == [(word, said)]
    (facet,) = facets(text, ALICE)
    start = len(before.encode())
    assert facet["index"] == {"byteStart": start, "byteEnd": start + len(word.encode())}


def test_the_example_of_the_documentation() -> None:
    assert facets("Hello https://example.com", {}) == [
        {
            "index": {"byteStart": 6, "byteEnd": 25},
            "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://example.com"}],
        }
    ]


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("See https://example.com.", "https://example.com"),
        ("See https://example.com, and", "https://example.com"),
        ("Really https://example.com?!", "https://example.com"),
        ("(https://example.com/a)", "https://example.com/a"),
        (
            "https://en.wikipedia.org/wiki/Earth_(planet)",
            "https://en.wikipedia.org/wiki/Earth_(planet)",
        ),
        (
            "(see https://en.wikipedia.org/wiki/Earth_(planet)).",
            "https://en.wikipedia.org/wiki/Earth_(planet)",
        ),
        ("<https://example.com/a>", "https://example.com/a"),
        ('"https://example.com/a"', "https://example.com/a"),
        ("見てhttps://example.com/日本語。次", "https://example.com/日本語"),
        ("https://example.com/?q=#x", "https://example.com/?q=#x"),
        ("HTTPS://EXAMPLE.COM", "HTTPS://EXAMPLE.COM"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("https://example.com…", "https://example.com"),
        ("https://user@example.com/@alice.test/#tag", "https://user@example.com/@alice.test/#tag"),
    ],
)
def test_links(text: str, link: str) -> None:
    assert marked(text) == [(link, link)]


@pytest.mark.parametrize(
    "text",
    [
        "https://",
        "http://...",
        "https://[::1",
        "xhttps://example.com",
        "example.com",
        "ftp://a.b",
        "https:///path",
        "javascript:alert(1)",
    ],
)
def test_no_links(text: str) -> None:
    assert marked(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "@alice.test",
        "hi @alice.test!",
        "(@alice.test)",
        ".@alice.test",
        "@alice.test.",
        "@ALICE.test",
        "こんにちは@alice.testさん",
        "@alice.test's",
        "@nobody.test @alice.test",
        "@alice.test/",
    ],
)
def test_mentions(text: str) -> None:
    assert [said for _, said in marked(text)] == ["did:plc:alice"]
    assert [word.lower() for word, _ in marked(text)] == ["@alice.test"]


@pytest.mark.parametrize(
    "text",
    [
        "me@alice.test",
        "@user@alice.test",
        "@alice.test@host",
        "@alice",
        "@@alice.test",
        "@alice.test_x",
        "@-alice.test",
        "@.alice.test",
        "@alice..test",
        "@nobody.test",
        "@alice.test1x",
        "@1.2.3.4",
    ],
)
def test_no_mentions(text: str) -> None:
    assert marked(text) == []


def test_each_handle_is_asked_for_once() -> None:
    assert mentioned("@b.test @a.test @B.test https://x.test/@c.test") == ["b.test", "a.test"]


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("#tag", "tag"),
        ("(#tag)", "tag"),
        ("#tag.", "tag"),
        ("#foo_bar, x", "foo_bar"),
        ("#c++", "c++"),
        ("#100days", "100days"),
        ("#🎉", "🎉"),
        ("＃全角", "全角"),
        ("#cat's", "cat's"),
        ("x\n#tag", "tag"),
        ("#" + "a" * 64, "a" * 64),
    ],
)
def test_tags(text: str, tag: str) -> None:
    assert [said for _, said in marked(text)] == [tag]


@pytest.mark.parametrize(
    "text",
    ["#", "# tag", "#1", "#123", "#...", "a#tag", "#️⃣ keycap", "##", "#" + "a" * 65, "#-", "&#39;"],
)
def test_no_tags(text: str) -> None:
    assert marked(text) == []


def test_several_are_in_order_and_do_not_overlap() -> None:
    text = "#one https://example.com/#no @alice.test #two https://example.com/@alice.test"
    assert [word for word, _ in marked(text)] == [
        "#one",
        "https://example.com/#no",
        "@alice.test",
        "#two",
        "https://example.com/@alice.test",
    ]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("https://example.com/(#tag", "https://example.com/(#tag"),
        ("https://example.com/.@alice.test", "https://example.com/.@alice.test"),
        ("#x(@alice.test", "@alice.test"),
    ],
)
def test_a_link_goes_before_a_mention_before_a_tag(text: str, word: str) -> None:
    assert [found for found, _ in marked(text)] == [word]


@given(st.text(st.sampled_from("#@. a日é👩‍/:(\n)htps1_"), max_size=60) | st.text(max_size=60))
def test_any_text_gives_whole_sorted_facets(text: str) -> None:
    raw, end = text.encode(), 0
    for facet in facets(text, _Everyone()):
        start, stop = facet["index"]["byteStart"], facet["index"]["byteEnd"]
        assert end <= start < stop <= len(raw)
        raw[start:stop].decode()
        end = stop


class _Everyone(dict[str, str]):
    """Every handle exists."""

    def __contains__(self, key: Any) -> bool:
        return True

    def __missing__(self, key: str) -> str:
        return f"did:{key}"


@pytest.mark.parametrize(
    "piece", ["a.", "@a.", "#(", "https://", "(", "https://x)", "@a.b@", "a-", "##", "https://a)))"]
)
def test_hostile_texts_take_no_time(piece: str) -> None:
    text = piece * (3000 // len(piece))
    start = time.process_time()
    spans(text)
    assert time.process_time() - start < 0.5
