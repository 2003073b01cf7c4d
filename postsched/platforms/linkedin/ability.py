r"""What a LinkedIn account can do, and how its text is written (fact sheet, sections 3, 4 and 6).

A post's text is "little text": the characters `\ | { } @ [ ] ( ) < > # * _ ~` mean something unless
a backslash is before them, and after one that means nothing LinkedIn drops the rest of the text
without a word. Hashtags and mentions are meant, everything else is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from postsched.domain.capabilities import (
    Capabilities,
    CommentAs,
    Guarantee,
    MediaRules,
    TextRules,
    Unit,
)
from postsched.domain.film import FilmRules
from postsched.domain.picture import PictureRules
from postsched.domain.post import Visibility
from postsched.domain.quota import Counts, Quota

RESERVED = r"\|{}@[]()<>#*_~"
HASHTAG = r"(?<![\w/&#\\])#[^\W_]+"
"""#tag: letters and digits, not in the middle of a word or an address."""
MENTION = r"@\[(?P<inner>[^\[\]\r\n]+)\]\(urn:li:(?:organization|person):[A-Za-z0-9_-]+\)"
"""@[Exact Name](urn:li:organization:123): only the name is escaped."""
TEXT = TextRules(
    3000,
    Unit.CODE_POINTS,
    may_be_empty_with_media=False,
    escapes=RESERVED,
    unescaped=f"{HASHTAG}|{MENTION}",
)
COMMENT = TextRules(1250, Unit.CODE_POINTS)
"""Comments are plain text."""

IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif")
DOCUMENT_TYPES = (
    "application/pdf",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
)
VIDEO_LIMIT = 500_000_000
DOCUMENT_LIMIT = 100_000_000
MEDIA = MediaRules(
    count=20,
    types={
        **dict.fromkeys(IMAGE_TYPES),
        "video/mp4": VIDEO_LIMIT,
        **dict.fromkeys(DOCUMENT_TYPES, DOCUMENT_LIMIT),
    },
    max_pixels=36_152_319,
    alt_limit=4086,
    picture=PictureRules(max_frames=250),
    film=FilmRules(seconds=(3, 1800)),
)
VISIBILITIES = {Visibility.PUBLIC: "PUBLIC", Visibility.FOLLOWERS: "CONNECTIONS"}
"""What a person can choose; organizations are always public."""
TITLED = frozenset({"link", "video/mp4", *DOCUMENT_TYPES})
"""What has a title; pictures and mere text have none."""
TITLE_LIMIT = 400
"""Characters of the title of a card, film or document."""
WAYS = {"followers": "followers means your connections there"}
REPEATS = timedelta(minutes=10)
"""How long after the first send the same is sent again to settle a lost answer. LinkedIn refuses
equal posts for longer, nobody knows how long."""
REFUSES_EQUAL = timedelta(hours=48)
"""For hours, and up to 48 of them after the post was deleted; LinkedIn gives no number."""
CALLS = Quota(150, timedelta(days=1), Counts.REQUESTS)
"""Of one member (fact sheet, section 7). LinkedIn begins anew at 00:00 UTC; counted as any 24
hours, which is a little stricter."""
NOTES = (
    "There are no threads, and further parts are refused: put the rest into a first comment.",
    "A post shows a link card or media: beside media, the link is in the text.",
    "A link card whose page can't be read shows the address as its title.",
    "The same text again is refused for hours, also after its post was deleted.",
)


def capabilities(facts: Mapping[str, Any]) -> Capabilities:
    """What the account can do by its facts."""
    person = facts.get("kind") == "person"
    return Capabilities(
        text=TEXT,
        media=MEDIA,
        guarantee=_guarantee(facts),
        thread=False,
        comment=CommentAs.COMMENT,
        comment_text=COMMENT,
        visibilities=frozenset(VISIBILITIES) if person else frozenset({Visibility.PUBLIC}),
        link_card=True,
        title=True,
        titled=TITLED,
        titled_words="a link card, a film or a document",
        title_limit=TITLE_LIMIT,
        delete=True,
        prepares_link=True,
        ways=WAYS,
        quotas=(CALLS,),
        refuses_equal=REFUSES_EQUAL,
        notes=NOTES,
    )


def _guarantee(facts: Mapping[str, Any]) -> Guarantee:
    """The posts of an organization can be read, those of a person can't; there the refusal of the
    same post tells that it is out. Comments are neither refused nor shown."""
    if facts.get("look_up"):
        return Guarantee(None, can_look_up=True, comments=False)
    return Guarantee(REPEATS if facts.get("author") or facts.get("kind") else None, comments=False)
