"""How a post reads: its little text with the escapes that nobody sees, and the card of its link."""

from __future__ import annotations

import re

from postsched.domain.delivery import Role
from postsched.domain.escaping import escaped
from postsched.domain.fitting import LINK, with_link
from postsched.platforms.base import Message
from postsched.platforms.linkedin import ability
from postsched.platforms.wording import Kind, Wording, by_us, marks

PATTERNS = {
    Kind.LINK: LINK,
    Kind.MENTION: re.compile(ability.MENTION.replace("inner", "shown")),
    Kind.TAG: re.compile(ability.HASHTAG),
}


def text_of(message: Message) -> str:
    """The text before it is escaped. A post shows one thing, so beside media the link is in it."""
    return with_link(message.text, message.link) if message.attachments else message.text


def little(text: str) -> str:
    """A post's text as it is sent."""
    return escaped(text, ability.TEXT)


def wording(message: Message) -> Wording:
    """The text of a post, or of a comment, which is plain."""
    if message.role is Role.COMMENT:
        return Wording(message.text, marks=marks(message.text, {Kind.LINK: LINK}))
    text = text_of(message)
    return Wording(text, little(text), marks(text, PATTERNS), by_us(message))
