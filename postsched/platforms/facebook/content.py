"""What a post on Facebook is made of (fact sheet, sections 1, 3 and 4).

Photos are uploaded unpublished, which nobody sees, and attached by their ids: those make the post
known again.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from postsched.domain.fitting import with_link
from postsched.domain.outcome import ErrorKind
from postsched.domain.post import Visibility
from postsched.platforms.base import Attachment, Message, PlatformError
from postsched.platforms.facebook import film
from postsched.platforms.facebook.ability import PHOTO_COUNT
from postsched.platforms.graph.adapter import is_film
from postsched.platforms.graph.api import Graph, id_in


async def prepared(message: Message, graph: Graph, page: str) -> dict[str, Any]:
    """Upload what the post shows. The answer is the whole request: `edge` and `form`; `photos` and
    `film` are the ids by which the post is found."""
    if message.attachments and is_film(message.attachments[0]):
        return await film.prepared(message, graph, page, text_of(message))
    photos = [await _upload(graph, page, one) for one in message.attachments]
    form = {"message": text_of(message)} if text_of(message) else {}
    if photos:
        form["attached_media"] = json.dumps([{"media_fbid": photo} for photo in photos])
    elif message.link:
        form["link"] = message.link
    return {"edge": "feed", "form": form, "photos": photos}


def text_of(message: Message) -> str:
    """The text as it is sent: beside media there is no link card."""
    return with_link(message.text, message.link) if message.attachments else message.text


def require_possible(message: Message) -> None:
    """Raise PlatformError(INVALID) for what Facebook can't do."""
    films = sum(map(is_film, message.attachments))
    problem = None
    if message.n > 1:
        problem = "Facebook has no threads"
    elif message.visibility not in (None, Visibility.PUBLIC):
        problem = f"a Page on Facebook has no posts that are {message.visibility}"
    elif message.warning:
        problem = "Facebook has no content warnings"
    elif films and len(message.attachments) > 1:
        problem = "a film on Facebook is alone in its post"
    elif len(message.attachments) > PHOTO_COUNT:
        problem = f"a post on Facebook has {PHOTO_COUNT} photos at the most"
    elif not (text_of(message).strip() or message.link or message.attachments):
        problem = "the post is empty"
    if problem:
        raise PlatformError(ErrorKind.INVALID, problem)


async def _upload(graph: Graph, page: str, photo: Attachment) -> str:
    """Bring a photo there, unpublished; its id."""
    form = {"published": "false"}
    if photo.media.alt:
        form["alt_text_custom"] = photo.media.alt
    if photo.media.url is not None:
        response = await graph.post(f"{page}/photos", {**form, "url": photo.media.url})
    else:
        content = await asyncio.to_thread(photo.read)
        kind = photo.media.type or "application/octet-stream"
        name = f"photo.{kind.partition('/')[2]}"  # never the name on our disk
        response = await graph.post(f"{page}/photos", form, {"source": (name, content, kind)})
    return id_in(response, graph.object(response))
