"""The look of one network's posts, as data: `networks.py` has them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from postsched.platforms.wording import Kind

MARKUP: Mapping[Kind, str] = {
    Kind.BOLD: "bold",
    Kind.ITALIC: "italic",
    Kind.UNDERLINE: "underline",
    Kind.STRIKE: "strike",
    Kind.CODE: "on grey23",
    Kind.SPOILER: "reverse",
}
"""The styles of what is marked up; the same everywhere."""


@dataclass(frozen=True, slots=True)
class Look:
    """Colours are rich's names or #rrggbb.

    `avatar` has the initial in place of `{}`, `head` is the line with the name in it: `{account}`
    is what it is called here, `{handle}` the login as people write it, `{name}` the same without
    `@` and server, `{short}` the beginning of that, `{readers}` who may see the post. What is
    between `|` is bold, the rest dim. `foot` is the row of buttons, which nobody can press here.
    `media_first`: the caption is below the media, with the name before it.
    """

    colour: str
    avatar: str = "({})"
    head: str = "|{handle}| · now"
    foot: str = ""
    mark: str = ""
    """The style of links, mentions and tags; empty: the network's colour."""
    plain: frozenset[Kind] = frozenset()
    """What the network finds in a text and shows like the rest of it."""
    thread: bool = True
    """Whether a line joins the parts of a thread."""
    media_first: bool = False
    warning: str = "{} [Show]"
    card: str = "{} makes the card"
    """What is said of a card that we don't make."""
    readers: Mapping[str, str] = field(default_factory=dict)
    """What the network calls a visibility."""

    @property
    def styles(self) -> Mapping[Kind, str]:
        """The style of each kind of mark."""
        style = self.mark or self.colour
        found = dict.fromkeys((Kind.LINK, Kind.MENTION, Kind.TAG), style)
        return {**MARKUP, **found, **dict.fromkeys(self.plain, "")}
