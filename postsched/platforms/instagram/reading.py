"""How a caption reads: tags and mentions are links, web addresses are not."""

from __future__ import annotations

from postsched.platforms.base import Message
from postsched.platforms.instagram.content import caption
from postsched.platforms.wording import PLAIN, Wording, marks


def wording(message: Message) -> Wording:
    """The caption, or the comment, with what Instagram finds in it."""
    text = caption(message)
    return Wording(text, marks=marks(text, PLAIN))
