"""How the text of a step reads on a network: what is sent, and what is made of it there.

An adapter makes its wording by the functions by which it makes its requests, so that what is shown
before a post goes out is what goes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from postsched.domain.fitting import LINK, goes_into_text, with_link
from postsched.domain.lacking import HASHTAG

if TYPE_CHECKING:
    from postsched.domain.capabilities import Capabilities
    from postsched.platforms.base import Message

NAMED = re.compile(r"(?<![\w/.@])@\w(?:[\w.-]*\w)?")
"""@name, and @name.example."""


class Kind(StrEnum):
    """What a stretch of text is to its readers."""

    LINK = "link"
    MENTION = "mention"
    TAG = "tag"
    BOLD = "bold"
    ITALIC = "italic"
    UNDERLINE = "underline"
    STRIKE = "strike"
    CODE = "code"
    SPOILER = "spoiler"


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of the text, in characters. `shown` is what readers see in its place, None: just
    that text."""

    kind: Kind
    start: int
    end: int
    shown: str | None = None


class CardBy(StrEnum):
    """Who makes a link card, and so who reads the page."""

    US = "us"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Card:
    """A link card below the text."""

    url: str
    by: CardBy


@dataclass(frozen=True, slots=True)
class Wording:
    """`text` is what readers get, `sent` how it is written in the request (None: just so), `marks`
    are in order and without overlaps."""

    text: str
    sent: str | None = None
    marks: tuple[Mark, ...] = ()
    card: Card | None = None


def usual(message: Message, can: Capabilities) -> Wording:
    """What the capabilities say of a text: a link in it or on a card, links and tags as links."""
    beside = bool(message.attachments)
    in_text = goes_into_text(can, beside_media=beside)
    text = with_link(message.text, message.link) if in_text else message.text
    card = Card(message.link, CardBy.NETWORK) if message.link and not in_text else None
    return Wording(text, marks=marks(text, PLAIN), card=card)


Patterns = Mapping[Kind, re.Pattern[str]]
PLAIN: Patterns = {Kind.LINK: LINK, Kind.MENTION: NAMED, Kind.TAG: HASHTAG}
"""What nearly every network finds in a text by itself."""


def marks(text: str, patterns: Patterns) -> tuple[Mark, ...]:
    """What the patterns find, the first of them first. A group named `shown` is what readers
    see."""
    return tidy(
        Mark(kind, *found.span(), found.groupdict().get("shown"))
        for kind, pattern in patterns.items()
        for found in pattern.finditer(text)
    )


def tidy(found: Iterable[Mark]) -> tuple[Mark, ...]:
    """The marks in order; of those that overlap, the ones that were found first."""
    kept: list[Mark] = []
    taken: set[int] = set()
    for mark in found:
        places = range(mark.start, mark.end)
        if mark.end > mark.start and taken.isdisjoint(places):
            taken.update(places)
            kept.append(mark)
    return tuple(sorted(kept, key=lambda mark: mark.start))


def shortened(text: str, found: Iterable[Mark], most: int) -> Iterator[Mark]:
    """The same marks, links without their scheme and cut after so many characters, as some networks
    show them."""
    for mark in found:
        if mark.kind is not Kind.LINK:
            yield mark
            continue
        shown = re.sub(r"^https?://(www\.)?", "", text[mark.start : mark.end], flags=re.I)
        yield replace(mark, shown=shown if len(shown) <= most else f"{shown[:most]}…")


def first_link(text: str, *, last: bool = False) -> str | None:
    """The first (or last) web address in a text, of which networks make cards by themselves."""
    found = LINK.findall(text)
    return str(found[-1 if last else 0]) if found else None


def by_network(link: str | None, message: Message) -> Card | None:
    """The card that a network makes of a link, but not beside media."""
    return Card(link, CardBy.NETWORK) if link and not message.attachments else None


def by_us(message: Message) -> Card | None:
    """The card that we make of the message's link, but not beside media."""
    link = message.link
    return Card(link, CardBy.US) if link and not message.attachments else None
