"""Equal texts: networks that refuse a text which the account has posted lately.

What a network compares it does not say. Here a text is what is sent, in Unicode's normal form C
and with plain spaces; a text that differs in case or media is another one.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from hashlib import blake2b

from postsched.domain.capabilities import Capabilities, CommentAs
from postsched.domain.fitting import goes_into_text, with_link
from postsched.domain.post import Content

MARK_BYTES = 12
"""Of a text no more is remembered: a hundred thousand of them are a few megabytes."""


def texts(content: Content, account: str, capabilities: Capabilities) -> list[tuple[str, str]]:
    """What is sent to the account as posts of their own: (field, text). A comment is one where it
    is a reply; a part that is nothing but media is none."""
    parts = content.parts(account)
    in_text = goes_into_text(capabilities, beside_media=bool(parts[0].media))
    link = content.link if in_text else None
    said = [("text", with_link(parts[0].text, link))]
    said += [("then", part.text) for part in parts[1:]]
    if content.comment and capabilities.comment is CommentAs.REPLY:
        said.append(("comment", content.comment))
    return [(field, text) for field, text in said if text.strip()]


def mark(text: str) -> bytes:
    """What equal texts have in common."""
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    return blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=MARK_BYTES).digest()


class Memory:
    """What one account has posted, as long as its network remembers: texts, and the posts they
    were in. Instants are told in order."""

    def __init__(self, span: timedelta) -> None:
        self.span = span
        self._posts: dict[bytes, tuple[datetime, int]] = {}

    def meet(self, text: str, at: datetime, post_id: int) -> tuple[datetime, int] | None:
        """When and in which post the text was said before, if that is remembered. Else it will be
        said, and is remembered; a text that is refused leaves no memory."""
        self._forget(at)
        known = mark(text)
        if before := self._posts.get(known):
            return before
        self._posts[known] = at, post_id
        return None

    def note(self, text: str, at: datetime, post_id: int) -> None:
        """Remember a text that is out already."""
        self._forget(at)
        self._posts.pop(mark(text), None)  # what is put in again goes to the end
        self._posts[mark(text)] = at, post_id

    def _forget(self, now: datetime) -> None:
        while self._posts:
            first = next(iter(self._posts))
            if self._posts[first][0] > now - self.span:
                return
            del self._posts[first]
