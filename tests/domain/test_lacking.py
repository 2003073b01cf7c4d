"""What a network lacks: one sentence for each, which says what happens instead."""

from __future__ import annotations

from dataclasses import replace

import pytest

from postsched import platforms
from postsched.domain.capabilities import Capabilities
from postsched.domain.fitting import judge
from postsched.domain.lacking import kind_of, lacking
from postsched.domain.post import Content, Media, Part, Visibility
from tests.domain.test_fitting import FULL

IMAGE = Media("cat.png", type="image/png", bytes=1_000, alt="a cat", width=10, height=10)
VIDEO = Media("cat.mp4", type="video/mp4", bytes=1_000, alt="a cat")
GIF = replace(IMAGE, path="cat.gif", type="image/gif")
LINK = "https://example.com/abc"


@pytest.mark.parametrize(
    ("content", "can", "expected"),
    [
        (
            Content("a\n---\nb"),
            replace(FULL, thread=False),
            (
                "then",
                (
                    "it has 2 parts, and there are no threads: "
                    "give it one text of its own with --for me=TEXT"
                ),
                True,
            ),
        ),
        (Content("a\n---\nb", variants={"me": "ab"}), replace(FULL, thread=False), None),
        (
            Content("a", comment="b"),
            replace(FULL, comment=None),
            (
                "comment",
                (
                    "a first comment is not possible, and what it says would be missing: "
                    "post to me without it, with those words in the text"
                ),
                True,
            ),
        ),
        (
            Content("a", visibility=Visibility.DIRECT),
            FULL,
            ("visibility", "direct can't be chosen: what can: public, unlisted", True),
        ),
        (
            Content("a", visibility=Visibility.UNLISTED),
            replace(FULL, visibilities=frozenset({"public"})),
            (
                "visibility",
                (
                    "unlisted can't be chosen: every post is public there, "
                    "so more people would see it than you want"
                ),
                True,
            ),
        ),
        (
            Content("a", visibility=Visibility.PUBLIC),
            replace(FULL, visibilities=frozenset({"followers"})),
            ("visibility", "it can't be public; what can be chosen: followers", True),
        ),
        (
            Content("a", warning="food"),
            replace(FULL, warning=False),
            (
                "warning",
                "a content warning is not possible: everybody would see at once what it warns of",
                True,
            ),
        ),
        (
            Content("a", warning="food"),
            replace(FULL, warnings=frozenset({"nudity"})),
            ("warning", "'food' is no content warning there; these are: nudity", True),
        ),
        (
            Content("a", title="T"),
            replace(FULL, title=False),
            ("title", "the title is left out: posts have none; the text has to do without", False),
        ),
        (
            Content("a", (IMAGE,), title="T"),
            replace(FULL, titled=frozenset({"link", "video/mp4"}), titled_words="a film"),
            ("title", "the title is left out: only a film has one", False),
        ),
        (Content("a", (VIDEO,), title="T"), replace(FULL, titled=frozenset({"video/mp4"})), None),
        (Content("a", link=LINK, title="T"), replace(FULL, titled=frozenset({"link"})), None),
        (
            Content("a", title="T" * 11),
            replace(FULL, title_limit=10),
            ("title", "the title has 11 characters, 1 more than the 10 allowed", True),
        ),
        (
            Content("a", lang="en"),
            replace(FULL, languages=False),
            ("lang", "the language is left out: it can't be told there", False),
        ),
        (
            Content("a", (IMAGE,), link=LINK),
            FULL,
            ("link", "the link goes below the text: beside media there is no link card", False),
        ),
        (Content("a", (IMAGE,), link=LINK), replace(FULL, card_beside_media=True), None),
        (
            Content("a", (IMAGE,)),
            replace(FULL, media=replace(FULL.media, alt_limit=0)),
            (
                "alt",
                (
                    "the alt text of cat.png is left out: "
                    "there is none there; those who can't see it won't know"
                ),
                False,
            ),
        ),
        (
            Content("a", (VIDEO,)),
            replace(FULL, media=replace(FULL.media, undescribed=frozenset({"video/*"}))),
            ("alt", "the alt text of cat.mp4 is left out: films have none there", False),
        ),
        (Content("a\n---\nb"), replace(FULL, ways={"thread": "w"}), ("then", "w", False)),
        (Content("a", link=LINK), replace(FULL, ways={"link": "w"}), ("link", "w", False)),
        (Content("a #b"), replace(FULL, ways={"hashtag": "w"}), ("text", "w", False)),
        (Content("a @b"), replace(FULL, ways={"mention": "w"}), ("text", "w", False)),
        (Content("a@b.c"), replace(FULL, ways={"mention": "w"}), None),
        (Content("a", (GIF,)), replace(FULL, ways={"gif": "w"}), ("media", "w", False)),
        (Content("a", (VIDEO,)), replace(FULL, ways={"film": "w"}), ("media", "w", False)),
        (
            Content("a", visibility=Visibility.UNLISTED),
            replace(FULL, ways={"unlisted": "w"}),
            ("visibility", "w", False),
        ),
        (Content("a"), replace(FULL, ways=dict.fromkeys(("link", "thread", "gif"), "w")), None),
    ],
)
def test_each_thing_that_a_network_has_not(
    content: Content, can: Capabilities, expected: tuple[str, str, bool] | None
) -> None:
    found = list(lacking(content, content.parts("me"), can, "me"))
    assert found == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("medium", "kind"),
    [
        (IMAGE, "image/png"),
        (Media(url="https://a.example/x.MP4?size=1#y"), "video/*"),
        (Media(url="https://a.example/x"), "image/*"),
        (Media(), "image/*"),
    ],
)
def test_what_kind_a_medium_is(medium: Media, kind: str) -> None:
    assert kind_of(medium) == kind


WISHES = {
    "then": Content("a\n---\nb"),
    "comment": Content("a", comment="b"),
    "unlisted": Content("a", visibility=Visibility.UNLISTED),
    "followers": Content("a", visibility=Visibility.FOLLOWERS),
    "direct": Content("a", visibility=Visibility.DIRECT),
    "warning": Content("a", warning="nudity"),
    "title": Content("a", title="T"),
    "lang": Content("a", lang="en"),
    "link": Content("a", link=LINK),
    "link beside media": Content("a", (replace(IMAGE, alt=None),), link=LINK),
    "alt": Content("a", (IMAGE,)),
    "alt of a film": Content("a", (VIDEO,)),
}
REFUSED, SAID = "refused", "said"
NETWORKS = {
    "outbox": {},
    "mastodon": {"title": SAID},
    "bluesky": {
        "unlisted": REFUSED, "followers": REFUSED, "direct": REFUSED, "title": SAID,
        "link beside media": SAID,
    },
    "x": {
        "unlisted": REFUSED, "followers": REFUSED, "direct": REFUSED, "warning": REFUSED,
        "title": SAID, "lang": SAID, "alt of a film": SAID,
    },
    "linkedin": {
        "then": REFUSED, "unlisted": REFUSED, "followers": SAID, "direct": REFUSED,
        "warning": REFUSED, "title": SAID, "lang": SAID, "link beside media": SAID,
    },
    "telegram": {
        "comment": REFUSED, "unlisted": REFUSED, "followers": REFUSED, "direct": REFUSED,
        "warning": REFUSED, "title": SAID, "lang": SAID, "alt": SAID, "alt of a film": SAID,
    },
    "discord": {
        "then": SAID, "comment": REFUSED, "unlisted": REFUSED, "followers": REFUSED,
        "direct": REFUSED, "warning": REFUSED, "title": SAID, "lang": SAID,
    },
    "threads": {
        "unlisted": REFUSED, "followers": REFUSED, "direct": REFUSED, "warning": REFUSED,
        "title": SAID, "lang": SAID, "link beside media": SAID,
    },
    "instagram": {
        "then": REFUSED, "unlisted": REFUSED, "followers": REFUSED, "direct": REFUSED,
        "warning": REFUSED, "title": SAID, "lang": SAID, "link": SAID, "link beside media": SAID,
        "alt of a film": SAID,
    },
}  # fmt: skip
"""What a usual account of each network has not, and whether such a post is refused. What is not
named here, it has."""


@pytest.mark.parametrize("name", NETWORKS)
def test_what_each_network_has_not(name: str) -> None:
    can = platforms.capabilities(name)
    found = {}
    for wish, content in WISHES.items():
        verdicts = list(lacking(content, content.parts("me"), can, "me"))
        if "film" in wish:
            verdicts = [one for one in verdicts if one[0] == "alt"]
        assert len(verdicts) <= 1, verdicts
        if verdicts:
            found[wish] = REFUSED if verdicts[0][2] else SAID
    assert found == NETWORKS[name]


def test_it_is_part_of_the_verdict_on_a_post() -> None:
    [finding] = judge(Content("a", then=(Part("b"),)), "me", "Net", replace(FULL, thread=False))
    assert finding.fatal
    assert finding.message.startswith("me (Net): it has 2 parts")
