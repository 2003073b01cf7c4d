"""Content: what a post shows below its text, media or a link card.

One kind to a post: one image or several, one video, one document, or an article. LinkedIn does not
look at links itself, so an article's title and picture are read from the page (fact sheet,
sections 1 and 4).
"""

from __future__ import annotations

import asyncio
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import Attachment, Message, PlatformError
from postsched.platforms.linkedin.ability import IMAGE_TYPES, TITLE_LIMIT
from postsched.platforms.linkedin.api import Api
from postsched.platforms.linkedin.upload import (
    upload_document,
    upload_image,
    upload_video,
    wait_until_ready,
)

DESCRIPTION_LIMIT = 250
"""Characters of an article's description: no limit is documented, older versions had one of 256."""
THUMBNAIL_LIMIT = 5_000_000
"""Bytes of the picture in a link card."""


async def content(
    message: Message, owner: str, api: Api, notes: list[str]
) -> dict[str, Any] | None:
    """What goes below the text, uploaded and ready: media, else the card of the link, else
    nothing. What a card must do without is put into `notes`."""
    if message.attachments:
        return await _media(message, owner, api)
    if message.link:
        return {"article": await _article(message.link, message.title, owner, api, notes)}
    return None


async def _media(message: Message, owner: str, api: Api) -> dict[str, Any]:
    attachments = message.attachments
    if all(_is_image(one) for one in attachments):
        return await _images(attachments, owner, api)
    if len(attachments) > 1:
        raise PlatformError(
            ErrorKind.INVALID,
            "LinkedIn takes one kind of media to a post, and one video or document",
        )
    (only,) = attachments
    kind = only.media.type or ""
    make = _video if kind.startswith("video/") else _document
    medium = await make(only, message.title, owner, api)
    await wait_until_ready(api, [medium["id"]])
    return {"media": medium}


async def _images(attachments: tuple[Attachment, ...], owner: str, api: Api) -> dict[str, Any]:
    images = []
    for one in attachments:
        urn = await upload_image(api, owner, await asyncio.to_thread(one.read))
        images.append({"id": urn, **_alt(one)})
    await wait_until_ready(api, [image["id"] for image in images])
    return {"multiImage": {"images": images}} if len(images) > 1 else {"media": images[0]}


async def _video(one: Attachment, title: str | None, owner: str, api: Api) -> dict[str, Any]:
    if one.file is None:
        one.read()  # raises what to say of it
    assert one.file is not None
    medium = {"id": await upload_video(api, owner, one.file), **_alt(one)}
    return {**medium, "title": title[:TITLE_LIMIT]} if title else medium


async def _document(one: Attachment, title: str | None, owner: str, api: Api) -> dict[str, Any]:
    """A document must have a title, so it is called by its file where nobody says better."""
    urn = await upload_document(api, owner, await asyncio.to_thread(one.read))
    name = PurePath(one.media.path or "").name or "Document"
    return {"id": urn, "title": (title or name)[:TITLE_LIMIT], **_alt(one)}


def _is_image(one: Attachment) -> bool:
    return (one.media.type or "").startswith("image/")


def _alt(one: Attachment) -> dict[str, str]:
    return {"altText": one.media.alt} if one.media.alt else {}


async def _article(
    link: str, title: str | None, owner: str, api: Api, notes: list[str]
) -> dict[str, Any]:
    """The card of a link. Whatever goes wrong with its page, it is a card, which says less."""
    from postsched.platforms.linkcard import fetch_card

    page = await fetch_card(link, api.http, THUMBNAIL_LIMIT)
    card = {"source": link, "title": (title or page.title or _name(link))[:TITLE_LIMIT]}
    if page.description:
        card["description"] = page.description[:DESCRIPTION_LIMIT]
    if page.lacking:
        notes.append(page.lacking)
    if page.picture and page.picture_type not in IMAGE_TYPES:
        notes.append(f"the link card has no picture: LinkedIn takes no {page.picture_type}")
    elif page.picture:
        thumbnail = await _thumbnail(page.picture, owner, api, notes)
        card |= {"thumbnail": thumbnail} if thumbnail else {}
    return card


def _name(link: str) -> str:
    """The link as people read it."""
    parts = urlsplit(link)
    return f"{parts.netloc}{parts.path}".rstrip("/") or link


async def _thumbnail(picture: bytes, owner: str, api: Api, notes: list[str]) -> str | None:
    """The picture of a card, None if LinkedIn refuses it or can't process it: a card can do
    without."""
    try:
        urn = await upload_image(api, owner, picture)
        await wait_until_ready(api, [urn])
    except PlatformError as error:
        if error.problem.kind is not ErrorKind.INVALID and error.problem.http_status is not None:
            raise
        notes.append(f"the link card has no picture: {error}")
        return None
    return urn
