"""How a message reads: as Markdown, with the cards that Discord makes of its links."""

from __future__ import annotations

import re

from postsched.domain.fitting import LINK, with_link
from postsched.platforms.base import Message
from postsched.platforms.wording import Card, CardBy, Kind, Wording, first_link, marks


def _between(sign: str) -> re.Pattern[str]:
    """Text between two signs, which readers don't see."""
    quoted, first = re.escape(sign), re.escape(sign[0])
    return re.compile(
        rf"(?<!\\)(?<!{first}){quoted}(?P<shown>[^\s{first}](?:[^{first}\n]*[^\s{first}])?)"
        rf"{quoted}(?!{first})"
    )


PATTERNS = {
    Kind.CODE: _between("`"),
    Kind.LINK: LINK,
    Kind.BOLD: _between("**"),
    Kind.UNDERLINE: _between("__"),
    Kind.STRIKE: _between("~~"),
    Kind.SPOILER: _between("||"),
    Kind.ITALIC: re.compile(r"(?<![*\\])\*(?P<shown>[^\s*](?:[^*\n]*[^\s*])?)\*(?!\*)"),
    Kind.MENTION: re.compile(r"@(?:everyone|here)\b|<[@#][!&]?[0-9]+>"),
}


def text_of(message: Message) -> str:
    """The text as it is sent: a link is in it."""
    return with_link(message.text, message.link).strip()


def wording(message: Message) -> Wording:
    """The text, with what Discord makes of it."""
    text = text_of(message)
    link = first_link(text)
    card = Card(link, CardBy.NETWORK) if link else None
    return Wording(text, marks=marks(text, PATTERNS), card=card)
