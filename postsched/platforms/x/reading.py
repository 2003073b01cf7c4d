"""How a post reads: its links are t.co addresses, of which X shows what they stand for."""

from __future__ import annotations

import re
import unicodedata

from postsched.domain.fitting import with_link
from postsched.domain.lacking import HASHTAG
from postsched.domain.weblinks import links
from postsched.platforms.base import Message
from postsched.platforms.wording import (
    Kind,
    Mark,
    Wording,
    by_network,
    marks,
    shortened,
    tidy,
)

PATTERNS = {
    Kind.MENTION: re.compile(r"(?<![\w/.@])@\w{1,15}\b"),
    Kind.TAG: re.compile(rf"{HASHTAG.pattern}|(?<![\w$])\$[A-Za-z]{{1,6}}\b"),
}
LINK_SHOWN = 26
"""Characters of a link that are shown."""


def text_of(message: Message) -> str:
    """The text as it is sent: a link is in it, of which X makes a card."""
    return with_link(message.text, message.link).strip()


def wording(message: Message) -> Wording:
    """The text, with what X finds in it."""
    text = text_of(message)
    found = [Mark(Kind.LINK, link.start, link.end) for link in links(text)] if _normal(text) else []
    shown = tidy([*found, *marks(text, PATTERNS)])
    last = next((text[one.start : one.end] for one in reversed(found)), None)
    return Wording(text, marks=tuple(shortened(text, shown, LINK_SHOWN)),
                   card=by_network(last, message))  # fmt: skip


def _normal(text: str) -> bool:
    """Whether places in the text are places in its normal form C, in which X finds its links."""
    return unicodedata.is_normalized("NFC", text)
