"""How a status reads: links without their scheme and cut, mentions without their server (Mastodon's
TextFormatter and its web page)."""

from __future__ import annotations

import re

from postsched.domain.fitting import with_link
from postsched.platforms.base import Message
from postsched.platforms.wording import (
    PLAIN,
    Kind,
    Mark,
    Wording,
    by_network,
    first_link,
    marks,
    shortened,
)

PATTERNS = {
    **PLAIN,
    Kind.MENTION: re.compile(r"(?<![=/\w])@\w(?:[\w.-]*\w)?(?:@[\w.-]*\w)?"),
}
LINK_SHOWN = 30
"""Characters of a link that are shown."""


def text_of(message: Message) -> str:
    """The text as it is sent: a link is in it, of which the server makes a card."""
    return with_link(message.text, message.link)


def wording(message: Message) -> Wording:
    """The text, with what the server finds in it."""
    text = text_of(message)
    found = shortened(text, marks(text, PATTERNS), LINK_SHOWN)
    shown = tuple(_without_server(text, mark) for mark in found)
    return Wording(text, marks=shown, card=by_network(first_link(text), message))


def _without_server(text: str, mark: Mark) -> Mark:
    if mark.kind is not Kind.MENTION:
        return mark
    name = text[mark.start + 1 : mark.end].partition("@")[0]
    return Mark(mark.kind, mark.start, mark.end, f"@{name}")
