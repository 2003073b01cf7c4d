"""How a message reads. It is sent without a mode of parsing, so that signs of Markdown or HTML are
just signs."""

from __future__ import annotations

from postsched.domain.fitting import with_link
from postsched.platforms.base import Message
from postsched.platforms.wording import PLAIN, Wording, by_network, first_link, marks


def text_of(message: Message) -> str:
    """The text as it is sent: a link is in it."""
    return with_link(message.text, message.link).strip()


def wording(message: Message) -> Wording:
    """The text, with what Telegram finds in it."""
    text = text_of(message)
    link = message.link or first_link(text)
    return Wording(text, marks=marks(text, PLAIN), card=by_network(link, message))
