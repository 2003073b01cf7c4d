"""Link cards: what a page says of itself, for networks that don't look for themselves.

The page is fetched while a post is prepared. Whatever goes wrong there is a card; it only says
less, and what it lacks is told. The client keeps off internal addresses, so that no page can have
us publish what only this machine may see; here its length, its encoding and its tags are
distrusted.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from postsched.platforms.webpage import decode, read_page

if TYPE_CHECKING:
    import httpx

PAGE_LIMIT = 1_000_000
"""Bytes of a page that are read; what it says of itself stands at the beginning."""
PATIENCE = 10.0
"""Seconds for the page, and again for its picture."""
PICTURES = {
    re.compile(rb"\xff\xd8\xff"): "image/jpeg",
    re.compile(rb"\x89PNG\r\n\x1a\n"): "image/png",
    re.compile(rb"GIF8[79]a"): "image/gif",
    re.compile(rb"RIFF....WEBP", re.DOTALL): "image/webp",
}
"""How a picture begins, and its type."""


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a page: empty where it says nothing. `picture` are the bytes of its
    picture, `picture_type` their MIME type. `lacking` says what could not be had, and why."""

    title: str = ""
    description: str = ""
    picture: bytes | None = None
    picture_type: str = ""
    lacking: str = field(default="", compare=False)


class _Unread(Exception):
    """A page or picture can't be had; the text says why."""


@dataclass(frozen=True, slots=True)
class _Fetched:
    url: httpx.URL
    type: str
    content: bytes


async def fetch_card(url: str, http: httpx.AsyncClient, picture_limit: int) -> Card:
    """The card of a page; no page makes it raise. A picture of more than `picture_limit` bytes is
    left out."""
    try:
        fetched = await _fetch(url, http, "text/html,application/xhtml+xml", PAGE_LIMIT)
        if "html" not in fetched.type:
            raise _Unread("it is no web page")
    except _Unread as why:
        return Card(lacking=f"the link card has no title and no picture: {url} was not read: {why}")
    page = read_page(decode(fetched.content, fetched.type))
    try:
        picture = await _picture(fetched.url, page.picture, http, picture_limit)
    except _Unread as why:
        lacking = f"the link card has no picture: that of {url} was not read: {why}"
        return Card(page.title, page.description, lacking=lacking)
    return Card(page.title, page.description, picture or None, picture_type(picture))


def picture_type(content: bytes) -> str:
    """The MIME type of a picture by how it begins, empty for what is none."""
    return next((kind for start, kind in PICTURES.items() if start.match(content)), "")


async def _picture(page: httpx.URL, address: str, http: httpx.AsyncClient, limit: int) -> bytes:
    """The picture of a page, empty if it names none."""
    if not address:
        return b""
    # One byte more than may be: so a picture that is too large is known by its length.
    fetched = await _fetch(address, http, "image/*", limit + 1, page)
    if len(fetched.content) > limit:
        raise _Unread(f"it has more than {limit} bytes")
    if not picture_type(fetched.content):
        raise _Unread("it is no picture")
    return fetched.content


async def _fetch(
    url: str, http: httpx.AsyncClient, accept: str, limit: int, base: httpx.URL | None = None
) -> _Fetched:
    """The first `limit` bytes at an address, which may be relative. Raises _Unread."""
    import httpx

    try:
        address = base.join(url) if base else httpx.URL(url)
        async with (
            asyncio.timeout(PATIENCE),
            http.stream(
                "GET", address, headers={"Accept": accept}, follow_redirects=True
            ) as response,
        ):
            if not response.is_success:
                raise _Unread(f"HTTP {response.status_code}")
            kind = response.headers.get("content-type", "").lower()
            return _Fetched(response.url, kind, await _beginning(response, limit))
    except (TimeoutError, httpx.TimeoutException):
        raise _Unread("no answer in time") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise _Unread(" ".join(str(error).split())[:200] or type(error).__name__) from None


async def _beginning(response: httpx.Response, limit: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk[: limit - len(body)]
        if len(body) >= limit:
            break
    return bytes(body)
