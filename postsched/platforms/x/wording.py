"""The text of a post as X shows it, compared with what was sent (fact sheet, section 6).

X puts t.co addresses in place of links, adds one for media, and writes `&`, `<` and `>` as HTML.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from postsched.domain.weblinks import links

TCO = re.compile(r"https?://t\.co/\w+", re.I)
MEDIA_LINK = re.compile(
    r"\s*(https?://t\.co/\w+|https?://(www\.)?(x|twitter)\.com/\w+/status/\d+/(photo|video)/\d+)"
    r"\s*\Z",
    re.I,
)
ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
ANY_LINK = "\0"
Row = Mapping[str, Any]


def same_text(row: Row, text: str, *, with_media: bool) -> bool:
    """Whether a post of the API says just that text."""
    return _comparable(_shown(row, with_media)) == _comparable(text)


def may_be(row: Row, text: str, *, with_media: bool) -> bool:
    """Whether a post could say that text, although it can't be told: where X has not said what a
    t.co address stands for, or shows only the beginning of a long text."""
    shown = _shown(row, with_media)
    if shown.rstrip().endswith("…"):
        return _comparable(text).startswith(_comparable(shown.rstrip(" …")))
    if not TCO.search(shown):
        return False
    return _comparable(shown, any_link=True) == _comparable(text, any_link=True)


def _shown(row: Row, with_media: bool) -> str:
    """The text with its links written out, and without the address that stands for the media."""
    whole = _member(row, "note_tweet") or _member(row, "note_post")
    source = whole if isinstance(whole.get("text"), str) else row
    text = str(source.get("text") or "")
    urls = _member(source, "entities").get("urls") or _member(row, "entities").get("urls")
    for url in urls if isinstance(urls, list) else []:
        text = _written_out(text, url if isinstance(url, dict) else {})
    if with_media:
        text = MEDIA_LINK.sub("", text)
    for entity, sign in ENTITIES:
        text = text.replace(entity, sign)
    return text


def _comparable(text: str, *, any_link: bool = False) -> str:
    """A text in normal form C with plain spaces. Links count as equal without their scheme, an
    empty path and case, for X writes them anew."""
    text = unicodedata.normalize("NFC", text)
    pieces, at = [], 0
    for link in links(text):
        address = re.sub("^https?://", "", text[link.start : link.end], flags=re.I)
        pieces += [text[at : link.start], ANY_LINK if any_link else address.rstrip("/").casefold()]
        at = link.end
    return " ".join("".join([*pieces, text[at:]]).split())


def _written_out(text: str, url: Row) -> str:
    """The text with the whole address in place of a short one; as HTML, like the rest of it."""
    short, whole = url.get("url"), url.get("expanded_url")
    if not (isinstance(short, str) and short and isinstance(whole, str) and whole):
        return text
    if "&amp;" not in whole:
        whole = whole.replace("&", "&amp;")
    pieces = re.split(rf"{re.escape(short)}(?!\w)", text)
    return whole.join(pieces)


def _member(document: Row, name: str) -> Row:
    member = document.get(name)
    return member if isinstance(member, dict) else {}
