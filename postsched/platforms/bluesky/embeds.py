"""Embeds: what a post shows below its text, pictures or a link card.

Both are made of blobs, uploaded before the record and referred to exactly as the server named
them (lexicons app.bsky.embed.images and .external).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import Attachment, Message, PlatformError
from postsched.platforms.bluesky.xrpc import Xrpc

THUMB_LIMIT = 1_000_000
"""Bytes of the picture in a link card."""


async def embed(message: Message, calls: Xrpc, notes: list[str]) -> dict[str, Any] | None:
    """What goes below the text: the pictures, else the card of the link, else nothing. What a card
    must do without is put into `notes`."""
    if message.attachments:
        pictures = [await _picture(attachment, calls) for attachment in message.attachments]
        return {"$type": "app.bsky.embed.images", "images": pictures}
    if message.link:
        return await _card(message.link, calls, notes)
    return None


async def _picture(attachment: Attachment, calls: Xrpc) -> dict[str, Any]:
    content, media = attachment.read(), attachment.media
    blob = await calls.upload(content, media.type or "application/octet-stream")
    picture: dict[str, Any] = {"image": blob, "alt": media.alt or ""}
    if media.width and media.height:
        picture["aspectRatio"] = {"width": media.width, "height": media.height}
    return picture


async def _card(link: str, calls: Xrpc, notes: list[str]) -> dict[str, Any]:
    from postsched.platforms.linkcard import fetch_card

    page = await fetch_card(link, calls.http, THUMB_LIMIT)
    card: dict[str, Any] = {
        "uri": link,
        "title": page.title or link,
        "description": page.description,
    }
    if page.lacking:
        notes.append(page.lacking)
    thumb = await _thumb(page.picture, page.picture_type, calls, notes) if page.picture else None
    if thumb:
        card["thumb"] = thumb
    return {"$type": "app.bsky.embed.external", "external": card}


async def _thumb(
    content: bytes, kind: str, calls: Xrpc, notes: list[str]
) -> Mapping[str, Any] | None:
    """The picture of a card, None if the server refuses it: a card can do without."""
    try:
        return await calls.upload(content, kind)
    except PlatformError as error:
        if error.problem.kind is not ErrorKind.INVALID:
            raise
        notes.append(f"the link card has no picture: {error}")
        return None
