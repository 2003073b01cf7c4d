"""Pages: the title, description and picture that an HTML page gives of itself.

Only its first tags are looked at, in one pass whose time is bounded however hostile the page:
HTML parsers can be made to take minutes.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

TITLE_LIMIT = 300
"""Characters of a title."""
DESCRIPTION_LIMIT = 1000
"""Characters of a description."""
TAGS_LIMIT = 500
"""Tags that are looked at."""
TAG_LENGTH = 8192
"""Characters of a tag that are looked at."""

_CHARSETS = re.compile(r"(utf|iso|latin|windows|cp|shift|sjis|euc|gb|big5|koi8|us-ascii|ascii)")
"""How the names of encodings of pages begin. Python knows others: no text, or slow ones."""
_DECLARED = re.compile(rb"""charset\s{0,9}=\s{0,9}["']?([\w.:-]{1,40})""", re.IGNORECASE)
_START = re.compile(r"<(!--|meta\b|title\b|script\b|style\b|/head\b|body\b)", re.IGNORECASE)
_END = {
    "!--": re.compile("-->"),
    "script": re.compile("</script", re.IGNORECASE),
    "style": re.compile("</style", re.IGNORECASE),
}
_ATTRIBUTE = re.compile(r"""[\s/]*([^\s=<>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+)))?""")


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says of itself, empty where it doesn't; `picture` is an address, perhaps
    relative to the page's own."""

    title: str = ""
    description: str = ""
    picture: str = ""


def decode(content: bytes, content_type: str = "") -> str:
    """The text of a page, by the encoding it names: in its header, else in itself, else UTF-8."""
    declared = _DECLARED.search(content_type.encode(errors="replace"))
    declared = declared or _DECLARED.search(content[:2048])
    name = declared.group(1).decode("ascii", "replace").lower() if declared else "utf-8"
    if _CHARSETS.match(name):
        try:
            return codecs.decode(content, name, "replace")
        except (LookupError, ValueError):
            pass
    return content.decode(errors="replace")


def read_page(html: str) -> Page:
    """What the page says of itself: Open Graph first, then Twitter's names, then plain HTML."""
    said: dict[str, str] = {}
    for name, value in _statements(html):
        if value.strip():
            said.setdefault(name, value)
    title = said.get("og:title") or said.get("twitter:title") or said.get("title") or ""
    description = (
        said.get("og:description")
        or said.get("twitter:description")
        or said.get("description")
        or ""
    )
    picture = said.get("og:image") or said.get("og:image:url") or said.get("twitter:image") or ""
    return Page(
        _clean(title)[:TITLE_LIMIT],
        _clean(description)[:DESCRIPTION_LIMIT],
        unescape(picture).strip(),
    )


def _statements(html: str) -> Iterator[tuple[str, str]]:
    """The (name, content) of each meta tag, and ("title", …), up to the body."""
    at = 0
    for _ in range(TAGS_LIMIT):
        start = _START.search(html, at)
        if start is None:
            return
        kind, at = start.group(1).lower(), start.end()
        if kind in ("/head", "body"):
            return
        if kind in _END:
            end = _END[kind].search(html, at)
            if end is None:
                return
            at = end.end()
        elif kind == "title":
            title = html[at : at + TAG_LENGTH].partition(">")[2].partition("<")[0]
            yield "title", title
        else:
            attributes, at = _attributes(html, at)
            name = attributes.get("property") or attributes.get("name") or ""
            yield name.strip().lower(), attributes.get("content", "")


def _attributes(html: str, at: int) -> tuple[dict[str, str], int]:
    """The attributes that begin at a place, the first of each name, and where they end."""
    attributes: dict[str, str] = {}
    end = at + TAG_LENGTH
    while found := _ATTRIBUTE.match(html, at, end):
        at = found.end()
        name, *values = found.groups(default="")
        attributes.setdefault(name.lower(), "".join(values))
    return attributes, at


def _clean(text: str) -> str:
    """As one line of plain text."""
    visible = "".join(c if c.isprintable() or c.isspace() else " " for c in unescape(text))
    return " ".join(visible.split())
