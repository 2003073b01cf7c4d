"""What a Page on Facebook can do (fact sheet, sections 3, 4 and 6). [?] marks what is not sure."""

from __future__ import annotations

from datetime import timedelta

from postsched.domain.capabilities import (
    Capabilities,
    CommentAs,
    Guarantee,
    MediaRules,
    TextRules,
    Unit,
)
from postsched.domain.quota import Quota

TEXT_LIMIT = 63_206  # [?]
PHOTO_LIMIT = 4 * 1024 * 1024
"""Bytes; 10 MB are official, above 4 MB some are refused (subcode 1366046)."""
FILM_LIMIT = 1024 * 1024 * 1024  # [?] 10 GB are said for films that are sent in pieces
PHOTO_COUNT = 10
ALT_LIMIT = 1000  # [?] not documented
LOOK_UPS = (15.0, 30.0)
"""Seconds before each look: a new post shows with delay."""
PHOTOS = ("image/jpeg", "image/png", "image/gif", "image/bmp", "image/tiff")
FILMS = ("video/mp4", "video/quicktime")
CAPABILITIES = Capabilities(
    # Whether it counts code points or UTF-16 units isn't known: the larger number counts.
    text=TextRules(TEXT_LIMIT, Unit.UTF16),
    media=MediaRules(
        count=PHOTO_COUNT,
        alone=1,
        types={**dict.fromkeys(PHOTOS, PHOTO_LIMIT), **dict.fromkeys(FILMS, FILM_LIMIT)},
        alt_limit=ALT_LIMIT,
        undescribed=frozenset({"video/*"}),
        from_url=True,
    ),
    # That the same twice in a row is refused (506) is only a net: there is no key.
    guarantee=Guarantee(None, can_look_up=True, look_ups=LOOK_UPS),
    comment=CommentAs.COMMENT,
    link_card=True,
    title=True,
    titled=frozenset({"video/*", *FILMS}),
    titled_words="a film",
    delete=True,
    # What others post a day without being taken for spam; Facebook gives no number.
    quotas=(Quota(50, timedelta(hours=24)),),
    # It compares with the post before; for how long nobody knows.
    refuses_equal=timedelta(hours=24),
    notes=(
        "Posts go to a Page, never to the profile of a person.",
        "Facebook refuses a post that equals the one before it.",
        "There are no threads. Beside media the link is in the text.",
        # [?]
        "While the app is in development, its posts are seen by nobody without a role in it.",
    ),
)
