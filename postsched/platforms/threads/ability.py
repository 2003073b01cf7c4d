"""What a Threads account can do (fact sheet, sections 3, 4 and 6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from postsched.domain.capabilities import (
    Capabilities,
    CommentAs,
    Guarantee,
    MediaRules,
    TextRules,
    Unit,
)
from postsched.domain.picture import PictureRules
from postsched.domain.quota import Counts, Quota
from postsched.platforms.graph.film import FILM

IMAGE_LIMIT = 8 * 1024 * 1024
VIDEO_LIMIT = 1024 * 1024 * 1024
MEDIA_COUNT = 20
ALT_LIMIT = 1000
DAY = timedelta(hours=24)
CAPABILITIES = Capabilities(
    text=TextRules(500, Unit.EMOJI_BYTES, max_links=5),
    media=MediaRules(
        count=MEDIA_COUNT,
        alone=MEDIA_COUNT,
        mixed=True,
        types={
            "image/jpeg": IMAGE_LIMIT,
            "image/png": IMAGE_LIMIT,
            "video/mp4": VIDEO_LIMIT,
            "video/quicktime": VIDEO_LIMIT,
        },
        alt_limit=ALT_LIMIT,
        picture=PictureRules(max_width=1440, aspect=(0.1, 10), moving=frozenset()),
        film=replace(FILM, seconds=(0, 300)),
        from_url=True,
        from_bytes=False,
    ),
    # A lost answer is settled by the state of the container: what is finished, twice in half a
    # minute, was not published.
    guarantee=Guarantee(None, can_look_up=True, look_ups=(2.0, 30.0)),
    thread=True,
    comment=CommentAs.REPLY,
    link_card=True,
    delete=True,
    prepares_link=True,
    prepares_text=True,
    prepares_in_turn=True,
    quotas=(Quota(250, DAY), Quota(1000, DAY, Counts.REPLIES)),
    ways={"hashtag": "the first #tag becomes the topic, and loses its #"},
    notes=(
        "Media are fetched from a public address; files need a media host.",
        "A post shows a link card or media: beside media, the link is in the text.",
        "The first #tag becomes the topic, and loses its #.",
    ),
)
