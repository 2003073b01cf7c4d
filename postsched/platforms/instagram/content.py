"""What a post on Instagram can be, and its containers (fact sheet, sections 1, 3 and 4)."""

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
from postsched.domain.fitting import with_link
from postsched.domain.lacking import HASHTAG, MENTION
from postsched.domain.outcome import ErrorKind
from postsched.domain.picture import PictureRules
from postsched.domain.post import Visibility
from postsched.domain.quota import Quota
from postsched.platforms.base import Attachment, Message, PlatformError
from postsched.platforms.graph.adapter import is_film
from postsched.platforms.graph.api import Graph
from postsched.platforms.graph.containers import Fields, State, create, usable, wait, wait_for_all
from postsched.platforms.graph.film import FILM
from postsched.platforms.graph.lookup import Dialect
from postsched.platforms.instagram import reel

MEDIA_COUNT = 10
MOST_TAGS, MOST_MENTIONS = 30, 20
STATE = Fields("status_code", "status")
CAPABILITIES = Capabilities(
    # Whether it counts code points or UTF-16 units isn't known: the larger number counts.
    text=TextRules(
        2200,
        Unit.UTF16,
        max_tags=MOST_TAGS,
        usual_tags=5,  # the app takes no more since 2025-12; what the API makes of more isn't known
        max_mentions=MOST_MENTIONS,
    ),
    media=MediaRules(
        count=MEDIA_COUNT,
        alone=MEDIA_COUNT,
        mixed=True,
        types={
            "image/jpeg": 8 * 1024 * 1024,
            "video/mp4": 300 * 1024 * 1024,
            "video/quicktime": 300 * 1024 * 1024,
        },
        alt_limit=1000,
        undescribed=frozenset({"video/*"}),
        from_url=True,
        from_bytes=False,
        needed=True,
        picture=PictureRules(max_width=1440, aspect=(4 / 5, 1.91), moving=frozenset()),
        film=replace(FILM, seconds=(3, 900)),
    ),
    guarantee=Guarantee(None, can_look_up=True, look_ups=(2.0, 30.0)),
    comment=CommentAs.COMMENT,
    ways={
        "link": "the link goes into the text, where nobody can click it",
        "film": "a film that is alone becomes a reel",
    },
    # Meta's guide says 100, its reference 50; one account measured had 100.
    quotas=(Quota(100, timedelta(hours=24)),),
    notes=(
        "Media are fetched from a public address; files need a media host.",
        "Images must be JPEG. A film alone becomes a reel; films have no alt text.",
        "There are no threads, and links can't be clicked.",
    ),
)

BY_FACEBOOK = replace(
    CAPABILITIES,
    media=replace(CAPABILITIES.media, sent_alone=frozenset({"video/mp4", "video/quicktime"})),
    delete=True,
    notes=(
        "Media are fetched from a public address, but for a film that is alone: it may be a file.",
        *CAPABILITIES.notes[1:],
    ),
)
"""By Facebook Login."""


def dialect(profile: str) -> Dialect:
    """What the account of that id is asked by. Its list takes `since`."""
    return Dialect(
        publish=f"{profile}/media_publish",
        posts=f"{profile}/media",
        replies=f"{profile}/media",
        text="caption",
        state=STATE,
    )


async def build(message: Message, graph: Graph, profile: str) -> tuple[str, State]:
    """Make the container of a post, and wait for it; its id, and how far it is.

    Raises PlatformError if it can't become a post.
    """
    text, path = caption(message), f"{profile}/media"
    form = {"caption": text} if text else {}
    if len(message.attachments) == 1 and message.attachments[0].media.url is None:
        container = await reel.bring(graph, path, form, message.attachments[0])
        return container, usable(await wait(graph, container, STATE))
    if len(message.attachments) == 1:
        form |= _alone(message.attachments[0])
    else:
        items = [{**_item(one), "is_carousel_item": "true"} for one in message.attachments]
        children = [await create(graph, path, item) for item in items]
        for found in await wait_for_all(graph, children, STATE):
            usable(found)
        form |= {"media_type": "CAROUSEL", "children": ",".join(children)}
    container = await create(graph, path, form)
    return container, usable(await wait(graph, container, STATE))


def caption(message: Message) -> str:
    """The text as it is sent; a link is in it, for there are no cards."""
    return with_link(message.text, message.link)


def require_possible(message: Message, *, by_facebook: bool) -> None:
    """Raise PlatformError(INVALID) for what Instagram can't do, by that kind of login."""
    text, problem = caption(message), None
    if message.n > 1:
        problem = "Instagram has no threads"
    elif not message.attachments:
        problem = "Instagram has no posts without an image or a film"
    elif len(message.attachments) > MEDIA_COUNT:
        problem = f"a post on Instagram has {MEDIA_COUNT} images and films at the most"
    elif not _can_be_had(message.attachments, by_facebook=by_facebook):
        problem = (
            "Instagram fetches media itself: give a public address instead of a file, or name "
            "a place to put files under [media_host]"
        )
    elif len(HASHTAG.findall(text)) > MOST_TAGS or len(MENTION.findall(text)) > MOST_MENTIONS:
        problem = f"Instagram takes {MOST_TAGS} tags and {MOST_MENTIONS} mentions at the most"
    elif message.visibility not in (None, Visibility.PUBLIC):
        problem = f"Instagram has no posts that are {message.visibility}"
    elif message.warning:
        problem = "Instagram has no content warnings"
    if problem:
        raise PlatformError(ErrorKind.INVALID, problem)


def _can_be_had(attachments: tuple[Attachment, ...], *, by_facebook: bool) -> bool:
    """Whether all has an address, or is a film that is alone and may be brought there."""
    files = [one for one in attachments if one.media.url is None]
    return not files or (by_facebook and len(attachments) == 1 and is_film(files[0]))


def _alone(attachment: Attachment) -> dict[str, str]:
    if is_film(attachment):
        url = attachment.media.url or ""
        return {"media_type": "REELS", "video_url": url, "share_to_feed": "true"}
    return _item(attachment)


def _item(attachment: Attachment) -> dict[str, str]:
    medium = attachment.media
    if is_film(attachment):
        return {"media_type": "VIDEO", "video_url": medium.url or ""}
    form = {"image_url": medium.url or ""}
    return {**form, "alt_text": medium.alt} if medium.alt else form
