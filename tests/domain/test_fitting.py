"""Posts against capabilities: one finding for each thing that does not fit, none otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postsched.domain.capabilities import Capabilities, CommentAs, MediaRules, TextRules, Unit
from postsched.domain.errors import InvalidInput
from postsched.domain.fitting import Finding, check_characters, judge, with_link
from postsched.domain.post import Content, Media, Part, Visibility

IMAGE = Media("cat.png", type="image/png", bytes=1_000, alt="a cat", width=10, height=10)
VIDEO = Media("cat.mp4", type="video/mp4", bytes=1_000, alt="a cat")
SOUND = Media("cat.ogg", type="audio/ogg", bytes=1_000, alt="a cat")
AT_URL = Media(url="https://example.com/cat.png", alt="a cat")

FULL = Capabilities(
    text=TextRules(20, Unit.GRAPHEMES, byte_limit=40),
    media=MediaRules(
        count=4,
        types={"image/png": 2_000, "video/*": 5_000, "audio/*": None},
        max_pixels=10_000,
        alt_limit=10,
    ),
    thread=True,
    comment=CommentAs.REPLY,
    visibilities=frozenset({Visibility.PUBLIC, Visibility.UNLISTED}),
    warning=True,
    languages=True,
    link_card=True,
    title=True,
)
"""A network that takes nearly everything."""


def found(content: Content, can: Capabilities = FULL) -> list[tuple[str, str, bool]]:
    findings = judge(content, "me", "Net", can)
    for finding in findings:
        assert finding.account == "me"
        assert finding.message.startswith("me (Net): ")
    return [(f.field, f.message.removeprefix("me (Net): "), f.fatal) for f in findings]


def test_what_fits_has_no_findings() -> None:
    content = Content(
        "one\n---\ntwo", (), (Part("three", (IMAGE, IMAGE)), Part("", (VIDEO,))), "first!",
        "https://a.example", "Title", {}, Visibility.UNLISTED, "food", "en",
    )  # fmt: skip
    assert found(content) == []


def test_the_message_names_account_network_part_and_count() -> None:
    [finding] = judge(Content("one", then=(Part("a" * 512),)), "me", "Mastodon",
                      replace(FULL, text=TextRules(500)))  # fmt: skip
    assert finding == Finding(
        "me", "then", "me (Mastodon): part 2 has 512 graphemes, 12 more than the 500 allowed"
    )


LONG = "a" * 21


@pytest.mark.parametrize(
    ("content", "can", "expected"),
    [
        (Content(""), FULL, ("text", "the text is empty", True)),
        (Content(" \n\u3000"), FULL, ("text", "the text is empty", True)),
        (Content("a\n---\n"), FULL, ("then", "part 2 is empty", True)),
        (Content("a", comment=" "), FULL, ("comment", "the comment is empty", True)),
        (
            Content("", (IMAGE,)),
            replace(FULL, text=TextRules(may_be_empty_with_media=False)),
            ("text", "the text is empty", True),
        ),
        (
            Content(LONG),
            FULL,
            ("text", "the text has 21 graphemes, 1 more than the 20 allowed", True),
        ),
        (
            Content("a", comment=LONG),
            FULL,
            ("comment", "the comment has 21 graphemes, 1 more than the 20 allowed", True),
        ),
        (
            Content("short", variants={"me": LONG, "you": "x"}),
            FULL,
            ("text", "the text has 21 graphemes, 1 more than the 20 allowed", True),
        ),
        (
            Content("👨‍👩‍👧‍👦" * 2),
            FULL,
            ("text", "the text has 50 bytes, 10 more than the 40 allowed", True),
        ),
        (
            Content("a" * 15, warning="b" * 6),
            replace(FULL, text=TextRules(20, warning_counts=True)),
            (
                "text",
                "the text has 21 graphemes with its warning, 1 more than the 20 allowed",
                True,
            ),
        ),
        (
            Content("see", link="https://example.com/abc"),
            replace(FULL, link_card=False),
            ("text", "the text has 28 graphemes, 8 more than the 20 allowed", True),
        ),
        (
            Content("see", (IMAGE,), link="https://example.com/abc"),
            replace(FULL, link_card=False),
            ("text", "the text has 28 graphemes, 8 more than the 20 allowed", True),
        ),
        (
            Content("a", (IMAGE,) * 5),
            FULL,
            ("media", "it has 5 images, 1 more than the 4 allowed", True),
        ),
        (
            Content("a", then=(Part("b", (VIDEO, SOUND)),)),
            FULL,
            ("media", "part 2 has 2 files that are no images, 1 more than the 1 allowed", True),
        ),
        (
            Content("a", (IMAGE, VIDEO)),
            FULL,
            ("media", "it has images and other files, which don't go together", True),
        ),
        (
            Content("a", (IMAGE,)),
            replace(FULL, media=MediaRules()),
            ("media", "it has media, and none can be sent", True),
        ),
        (
            Content("a", (replace(IMAGE, type="image/gif"),)),
            FULL,
            (
                "media",
                "cat.png is image/gif, which can't be sent; what can: audio/*, image/png, video/*",
                True,
            ),
        ),
        (
            Content("a", (replace(IMAGE, bytes=2_001),)),
            FULL,
            ("media", "cat.png has 2,001 bytes, 1 more than the 2,000 allowed", True),
        ),
        (
            Content("a", (replace(VIDEO, bytes=5_001),)),
            FULL,
            ("media", "cat.mp4 has 5,001 bytes, 1 more than the 5,000 allowed", True),
        ),
        (
            Content("a", (replace(IMAGE, width=101, height=100),)),
            FULL,
            ("media", "cat.png has 10,100 pixels, 100 more than the 10,000 allowed", True),
        ),
        (
            Content("a", (replace(IMAGE, alt="b" * 11),)),
            FULL,
            ("alt", "the alt text of cat.png has 11 characters, 1 more than the 10 allowed", True),
        ),
        (
            Content("a", (AT_URL,)),
            FULL,
            (
                "media",
                "https://example.com/cat.png is an address, and only files can be sent",
                True,
            ),
        ),
        (
            Content("#a b#c https://a.example/#d #e1 #2"),
            replace(FULL, text=TextRules(max_tags=1)),
            ("text", "the text has 2 #tags, 1 more than the 1 allowed", True),
        ),
        (
            Content("@a a@b.example @c"),
            replace(FULL, text=TextRules(max_mentions=1)),
            ("text", "the text has 2 mentions, 1 more than the 1 allowed", True),
        ),
        (
            Content("a"),
            replace(FULL, media=replace(FULL.media, needed=True)),
            ("media", "it has no media, and there are no posts without", True),
        ),
        (
            Content("https://a.example https://a.example/1, https://b.example", link="http://c.de"),
            replace(FULL, text=replace(FULL.text, limit=99, byte_limit=None, max_links=3)),
            ("text", "the text has 4 different links, 1 more than the 3 allowed", True),
        ),
        (
            Content("a", (IMAGE,)),
            replace(FULL, media=replace(FULL.media, from_bytes=False, from_url=True)),
            (
                "media",
                (
                    "cat.png is a file, and the network fetches media itself: "
                    "give a public address of it instead"
                ),
                True,
            ),
        ),
    ],
)
def test_each_thing_that_does_not_fit(
    content: Content, can: Capabilities, expected: tuple[str, str, bool]
) -> None:
    assert found(content, can) == [expected]


def test_all_is_found_at_once() -> None:
    content = Content(LONG, (VIDEO, VIDEO), (Part(LONG),), comment=LONG, warning="w", lang="en")
    fields = [field for field, _, _ in found(content, Capabilities(text=TextRules(20)))]
    assert fields == ["text", "then", "media", "then", "comment", "warning", "lang"]


def test_at_the_limit_it_fits() -> None:
    media = (replace(IMAGE, bytes=2_000, alt="b" * 10, width=100, height=100),) * 4
    assert found(Content("a" * 20, media)) == []
    assert found(Content("👨‍👩‍👧‍👦" + "a" * 15)) == []
    assert found(Content("a" * 15, warning="b" * 9)) == []


def test_media_that_the_network_fetches_is_not_judged() -> None:
    can = replace(FULL, media=replace(FULL.media, from_url=True))
    assert found(Content("a", (AT_URL,)), can) == []


def test_where_all_files_go_together() -> None:
    can = replace(FULL, media=MediaRules(9, 9, {"*/*": None}, mixed=True))
    assert found(Content("a", (IMAGE, VIDEO, replace(SOUND, type=None))), can) == []


def test_a_caption_may_have_a_limit_of_its_own() -> None:
    can = replace(FULL, text=TextRules(20, caption_limit=5))
    assert found(Content("a" * 20, then=(Part("a" * 5, (IMAGE,)),)), can) == []
    long = "the text has 6 graphemes, 1 more than the 5 allowed beside media"
    assert found(Content("a" * 6, (IMAGE,)), can) == [("text", long, True)]


ALBUMS = MediaRules(
    3, 3, {"*/*": None}, mixed=True, files=3, total_bytes=2_500,
    albums=(frozenset({"image/png", "video/mp4"}), frozenset({"audio/ogg"})),
)  # fmt: skip


@pytest.mark.parametrize(
    ("media", "sentence"),
    [
        ((IMAGE, VIDEO), None),
        ((SOUND,), None),
        ((IMAGE, SOUND), "it has files of kinds that don't go together: audio/ogg, image/png"),
        ((IMAGE, VIDEO, VIDEO), "it has files of 3,000 bytes, 500 more than the 2,500 allowed"),
        ((replace(SOUND, bytes=1),) * 3, None),
        (
            (replace(IMAGE, bytes=1),) * 2 + (replace(VIDEO, bytes=1),) * 2,
            "it has 4 files, 1 more than the 3 allowed",
        ),
    ],
)
def test_files_of_one_album(media: tuple[Media, ...], sentence: str | None) -> None:
    expected = [("media", sentence, True)] if sentence else []
    assert found(Content("a", media), replace(FULL, media=ALBUMS)) == expected


def test_alt_text_is_required_only_on_demand() -> None:
    content = Content("a", (replace(IMAGE, alt=" "),))
    assert found(content) == []
    [finding] = judge(content, "me", "Net", FULL, require_alt=True)
    assert "cat.png has no alt text" in finding.message


def test_a_link_that_is_in_the_text_is_not_added() -> None:
    assert with_link("a", None) == "a"
    assert with_link("a", "https://x.example") == "a\n\nhttps://x.example"
    assert with_link("a https://x.example b", "https://x.example") == "a https://x.example b"
    assert with_link("", "https://x.example") == "https://x.example"


@pytest.mark.parametrize("bad", ["a\0b", "a\ud83d", "\udc00"])
@pytest.mark.parametrize(
    "content",
    [
        Content("{}"),
        Content("a", (Media("x", alt="{}"),)),
        Content("a", (Media("{}"),)),
        Content("a", then=(Part("{}"),)),
        Content("a", comment="{}"),
        Content("a", title="{}"),
        Content("a", warning="{}"),
        Content("a", link="{}"),
        Content("a", variants={"other": "{}"}),
    ],
)
def test_what_cant_be_stored_is_refused(content: Content, bad: str) -> None:
    spoilt = _spoilt(content, bad)
    assert [f for f in judge(spoilt, "me", "Net", FULL) if f.fatal]
    with pytest.raises(InvalidInput) as caught:
        check_characters(spoilt)
    assert str(caught.value).isprintable()
    check_characters(content)


def _spoilt(content: Content, bad: str) -> Content:
    def put(text: str | None) -> str | None:
        return text.replace("{}", bad) if text else text

    return replace(
        content,
        text=put(content.text) or "",
        media=tuple(replace(m, path=put(m.path), alt=put(m.alt)) for m in content.media),
        then=tuple(replace(p, text=put(p.text) or "") for p in content.then),
        variants={name: put(text) or "" for name, text in content.variants.items()},
        comment=put(content.comment),
        title=put(content.title),
        warning=put(content.warning),
        link=put(content.link),
    )


def test_more_tags_than_are_advised_are_said_and_sent() -> None:
    can = replace(FULL, text=TextRules(100, usual_tags=2, max_tags=4))
    assert not found(Content("#a #b"), can)
    [(field, sentence, fatal)] = found(Content("#a #b #c"), can)
    assert (field, fatal) == ("text", False)
    assert "3 #tags, more than the 2 that are advised" in sentence
    assert [fatal for _, _, fatal in found(Content("#a #b #c #d #e"), can)] == [True]


def test_a_file_may_be_taken_alone_where_others_are_fetched() -> None:
    media = MediaRules(4, 4, FULL.media.types, from_url=True, from_bytes=False, mixed=True,
                       sent_alone=frozenset({"video/mp4"}))  # fmt: skip
    can = replace(FULL, media=media)
    assert not found(Content("", (VIDEO,)), can)
    for together in ((VIDEO, VIDEO), (IMAGE,), (VIDEO, AT_URL)):
        fetched = [sentence for _, sentence, fatal in found(Content("", together), can) if fatal]
        assert fetched
        assert all("fetches media itself" in sentence for sentence in fetched)


@given(
    st.builds(
        Content,
        st.text(),
        st.lists(st.sampled_from([IMAGE, VIDEO, SOUND, AT_URL, Media()])).map(tuple),
        st.lists(st.builds(Part, st.text())).map(tuple),
        st.none() | st.text(),
        st.none() | st.text(),
        warning=st.none() | st.text(),
    )
)
def test_any_content_is_judged(content: Content) -> None:
    for can in (FULL, Capabilities()):
        for finding in judge(content, "me", "Net", can):
            assert finding.message
