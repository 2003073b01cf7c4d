"""Rendered posts as text again, to be compared with what was sent."""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser

MENTION = re.compile(r"(?<![=/\w])@([a-z0-9_]+(?:[a-z0-9_.-]+[a-z0-9_]+)?)@[\w.-]+\w", re.I)
MARKUP = re.compile(r"[@#\[\]()<>*_`~|\\&^=+]|https?:|^\s*(\d+[.)]|[-•])\s", re.I | re.M)
"""What a server may render as something else: mentions, tags, links, Markdown, HTML."""


def same_text(one: str, other: str) -> bool:
    """Whether two texts say the same, but for white space and Unicode normal form."""
    return _normal(one) == _normal(other)


def shows(html: str, text: str) -> bool:
    """Whether the rendered post shows just that text."""
    wanted = {_normal(text), _normal(MENTION.sub(r"@\1", text))}
    return bool(wanted & {_normal(reading) for reading in readings(html)})


def may_show(html: str, text: str) -> bool:
    """Whether the rendered post could come from that text: False only where rendering would have
    left its letters and digits as they are, and they differ."""
    if MARKUP.search(text):
        return True
    return any(_letters(reading) == _letters(text) for reading in readings(html))


def readings(html: str) -> tuple[str, str]:
    """A rendered post as text: with links as they are shown, and with their addresses."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return "".join(reader.shown), "".join(reader.addressed)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.shown: list[str] = []
        self.addressed: list[str] = []
        self._link: tuple[str, int] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("p", "br", "li", "div"):
            self._add("\n")
        if tag == "a":
            self._link = (dict(attrs).get("href") or "", len(self.addressed))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link:
            address, start = self._link
            words = "".join(self.addressed[start:])
            if not words.startswith(("@", "#")):
                self.addressed[start:] = [address]
            self._link = None

    def handle_data(self, data: str) -> None:
        self._add(data)

    def _add(self, text: str) -> None:
        self.shown.append(text)
        self.addressed.append(text)


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _letters(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())
