"""How a post reads: its first tag is the topic, which is shown without its #."""

from __future__ import annotations

from dataclasses import replace

from postsched.platforms.base import Message
from postsched.platforms.threads.content import text_of
from postsched.platforms.wording import PLAIN, Kind, Mark, Wording, by_network, first_link, marks


def wording(message: Message) -> Wording:
    """The text, and the card that Threads makes of a link."""
    text = text_of(message)
    found = list(marks(text, PLAIN))
    topic = next((n for n, mark in enumerate(found) if mark.kind is Kind.TAG), None)
    if topic is not None:
        found[topic] = _topic(text, found[topic])
    found = [mark for mark in found if mark.kind is not Kind.TAG or mark.shown]
    card = by_network(message.link or first_link(text), message)
    return Wording(text, marks=tuple(found), card=card)


def _topic(text: str, mark: Mark) -> Mark:
    return replace(mark, shown=text[mark.start + 1 : mark.end])
