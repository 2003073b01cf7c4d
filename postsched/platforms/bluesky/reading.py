"""How a post reads: what its facets mark, and its link card, which we make."""

from __future__ import annotations

from postsched.domain.fitting import with_link
from postsched.platforms.base import Message
from postsched.platforms.bluesky import richtext
from postsched.platforms.wording import Kind, Mark, Wording, by_us

KINDS = {
    richtext.Kind.LINK: Kind.LINK,
    richtext.Kind.MENTION: Kind.MENTION,
    richtext.Kind.TAG: Kind.TAG,
}


def text_of(message: Message) -> str:
    """The text as it is sent. A post has one embed, so beside images the link is in the text."""
    return with_link(message.text, message.link) if message.attachments else message.text


def wording(message: Message) -> Wording:
    """The text with the spans that become facets; whether a mentioned handle exists is asked when
    it goes out."""
    text = text_of(message)
    found = tuple(Mark(KINDS[span.kind], span.start, span.end) for span in richtext.spans(text))
    return Wording(text, marks=found, card=by_us(message))
