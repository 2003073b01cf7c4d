"""How the servers that speak Mastodon's API differ, as data for the loopback server.

From the Mastodon fact sheet, sections 3 to 7: limits, counting, memory for keys, status codes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import regex

URL = re.compile(r"https?://[^\s<>\"]+")
MENTION = re.compile(r"(?<![=/\w])@([a-z0-9_]+(?:[a-z0-9_.-]+[a-z0-9_]+)?)@[\w.-]+\w", re.I)
ENTITY = re.compile(rf"{URL.pattern}|{MENTION.pattern}|(?<!\w)#\w+", re.I)
GRAPHEME = regex.compile(r"\X")


def mastodon_length(text: str, warning: str) -> int:
    """Grapheme clusters; a link counts 23, a mention without its domain."""
    short = URL.sub("x" * 23, MENTION.sub(r"@\1", text))
    return graphemes(short, "") + graphemes(warning, "")


def code_points(text: str, warning: str) -> int:
    """Plain code points of everything."""
    return len(text) + len(warning)


def graphemes(text: str, warning: str) -> int:
    """Grapheme clusters of everything, links in full."""
    whole = warning + text
    return len(whole) if whole.isascii() and "\r" not in whole else len(GRAPHEME.findall(whole))


@dataclass(frozen=True, slots=True)
class Flavour:
    """One kind of server. `invalid` is the status of a refused post, `ids` how ids look."""

    version: str
    limit: int
    length: Callable[[str, str], int]
    media: int = 4
    alt: int = 1500
    remembers_keys: bool = False
    replays_answers: bool = False
    invalid: int = 422
    ids: str = "snowflake"
    has_v2: bool = True
    has_source: bool = True
    needs_media: bool = False
    visibilities: frozenset[str] = frozenset({"public", "unlisted", "private", "direct"})


FLAVOURS = {
    "mastodon": Flavour("4.5.1", 500, mastodon_length, remembers_keys=True),
    "gotosocial": Flavour(
        "0.20.1 git-f6a4c6d", 5000, code_points, media=6, invalid=400, ids="ulid"
    ),
    "pleroma": Flavour(
        "2.7.2 (compatible; Pleroma 2.9.1)", 5000, graphemes, media=16, alt=5000,
        replays_answers=True, ids="ulid", has_v2=False,
    ),
    "pixelfed": Flavour(
        "3.5.3 (compatible; Pixelfed 0.12.4)", 500, code_points, media=20, needs_media=True,
        has_source=False, visibilities=frozenset({"public", "unlisted", "private"}),
    ),
}  # fmt: skip
"""The servers, by name. A Pleroma keeps whole answers by key, also those that refuse."""


def instance_v2(flavour: Flavour, domain: str) -> dict[str, Any]:
    """GET /api/v2/instance."""
    statuses = {
        "max_characters": flavour.limit,
        "max_media_attachments": flavour.media,
        "characters_reserved_per_url": 25 if flavour.invalid == 400 else 23,
    }
    media = {
        "supported_mime_types": ["image/jpeg", "image/png", "image/gif", "image/webp",
                                 "video/mp4", "video/webm", "audio/mpeg"],
        "description_limit": flavour.alt, "image_size_limit": 16777216,
        "image_matrix_limit": 33177600, "video_size_limit": 103809024,
        "video_frame_rate_limit": 120, "video_matrix_limit": 8294400,
    }  # fmt: skip
    configuration = {"statuses": statuses, "media_attachments": media}
    return {"domain": domain, "version": flavour.version, "configuration": configuration}


def instance_v1(flavour: Flavour, domain: str) -> dict[str, Any]:
    """GET /api/v1/instance; Pleroma has its limits at the top."""
    if flavour.has_v2:
        document = instance_v2(flavour, domain)
        return {"uri": document.pop("domain"), **document}
    return {
        "uri": f"http://{domain}", "version": flavour.version, "max_toot_chars": flavour.limit,
        "description_limit": flavour.alt, "upload_limit": 16000000,
        "max_media_attachments": flavour.media,
    }  # fmt: skip


def content_html(text: str) -> str:
    """The text as Mastodon renders it: paragraphs, shortened links, mentions without domain."""
    pieces = []
    at = 0
    for match in ENTITY.finditer(text):
        pieces += [escape(text[at : match.start()], quote=False), _anchor(match.group())]
        at = match.end()
    html = "".join(pieces) + escape(text[at:], quote=False)
    paragraphs = re.split(r"\n{2,}", html)
    return "".join(f"<p>{paragraph}</p>".replace("\n", "<br />") for paragraph in paragraphs)


def _anchor(word: str) -> str:
    if word[0] == "#":
        return f'<a href="/tags/{word[1:]}" class="mention hashtag">#<span>{word[1:]}</span></a>'
    if word[0] == "@":
        name = word.split("@")[1]
        return (
            f'<span class="h-card"><a href="/@{name}" class="u-url">@<span>{name}</span></a></span>'
        )
    scheme, _, rest = word.partition("://")
    shown, hidden = escape(rest[:30]), escape(rest[30:])
    return (
        f'<a href="{escape(word)}" rel="nofollow"><span class="invisible">{scheme}://</span>'
        f'<span class="ellipsis">{shown}</span><span class="invisible">{hidden}</span></a>'
    )
