"""Rich text: what in a post is a link, a mention or a tag.

Bluesky marks nothing up by itself: every link, mention and tag needs a facet that says where it
is, in bytes of the text's UTF-8, end exclusive, sorted and without overlaps (lexicon
app.bsky.richtext.facet). What counts as one follows Bluesky's own app, except that a link needs
its http:// or https://.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

TAG_LIMIT = 64
"""A longer word is no tag, in characters."""

# Quotes, angle brackets and the punctuation of Chinese and Japanese end a link.
_LINK = re.compile(
    r"(?<![a-z0-9_])https?://[^\s<>\"“”«»「」『』（）【】《》、。，！？；]+", re.IGNORECASE
)
# A handle is a domain name (atproto.com/specs/handle). In a mail address, or in a Mastodon
# address (@user@host), there is none.
_MENTION = re.compile(
    r"(?<![a-z0-9_@/])@"
    r"((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)"
    r"(?![a-z0-9_@])",
    re.IGNORECASE,
)
# After # the variation selector makes a keycap emoji; the invisible ones end a tag.
_TAG = re.compile(r"(?<![^\s(])[#＃](?!\ufe0f)([^\s#＃\u00ad\u2060\u200a-\u200d\u20e2]+)")
_BRACKETS = {")": "(", "]": "[", "}": "{"}


class Kind(StrEnum):
    """What a span of text is."""

    LINK = "link"
    MENTION = "mention"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text, in characters: `value` is the address, the handle in lower case, or the
    tag without its #."""

    kind: Kind
    start: int
    end: int
    value: str


def spans(text: str) -> list[Span]:
    """The links, mentions and tags of a text, in order and without overlaps."""
    found: list[Span] = []
    for span in (*_links(text), *_mentions(text), *_tags(text)):
        if all(span.end <= other.start or other.end <= span.start for other in found):
            found.append(span)
    return sorted(found, key=lambda span: span.start)


def mentioned(text: str) -> list[str]:
    """The handles a text mentions, each once."""
    return list(dict.fromkeys(s.value for s in spans(text) if s.kind is Kind.MENTION))


def facets(text: str, dids: Mapping[str, str]) -> list[dict[str, Any]]:
    """The facets of a text. `dids` are the handles that exist; the others stay plain text."""
    return [
        {
            "index": {"byteStart": _bytes(text[: s.start]), "byteEnd": _bytes(text[: s.end])},
            "features": [_feature(s, dids)],
        }
        for s in spans(text)
        if s.kind is not Kind.MENTION or s.value in dids
    ]


def _feature(span: Span, dids: Mapping[str, str]) -> dict[str, str]:
    match span.kind:
        case Kind.LINK:
            member = {"uri": span.value}
        case Kind.MENTION:
            member = {"did": dids[span.value]}
        case Kind.TAG:
            member = {"tag": span.value}
    return {"$type": f"app.bsky.richtext.facet#{span.kind}", **member}


def _links(text: str) -> Iterator[Span]:
    for match in _LINK.finditer(text):
        url = _trimmed(match.group())
        if _has_host(url):
            yield Span(Kind.LINK, match.start(), match.start() + len(url), url)


def _mentions(text: str) -> Iterator[Span]:
    for match in _MENTION.finditer(text):
        yield Span(Kind.MENTION, match.start(), match.end(), match.group(1).lower())


def _tags(text: str) -> Iterator[Span]:
    for match in _TAG.finditer(text):
        tag = match.group(1)
        while tag and _is_punctuation(tag[-1]):
            tag = tag[:-1]
        if len(tag) <= TAG_LIMIT and not all(_is_punctuation(c) or c.isdigit() for c in tag):
            yield Span(Kind.TAG, match.start(), match.start(1) + len(tag), tag)


def _trimmed(url: str) -> str:
    """The link without what belongs to the sentence around it: its full stop, or the bracket that
    was opened before it."""
    while url:
        last = url[-1]
        opening = _BRACKETS.get(last)
        if last not in ".,:;!?'’…" and not (opening and url.count(last) > url.count(opening)):
            break
        url = url[:-1]
    return url


def _has_host(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return any(c.isalnum() for c in host)


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character).startswith("P")


def _bytes(text: str) -> int:
    return len(text.encode())
