"""How a post on a Page reads."""

from __future__ import annotations

from postsched.platforms.base import Message
from postsched.platforms.facebook.content import text_of
from postsched.platforms.wording import PLAIN, Kind, Wording, by_network, first_link, marks

PATTERNS = {Kind.LINK: PLAIN[Kind.LINK], Kind.TAG: PLAIN[Kind.TAG]}
"""A mention is just text: no person is meant by a name."""


def wording(message: Message) -> Wording:
    """The text, and the card that Facebook makes of a link."""
    text = text_of(message)
    card = by_network(message.link or first_link(text), message)
    return Wording(text, marks=marks(text, PATTERNS), card=card)
