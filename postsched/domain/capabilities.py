"""What one account's network can do and promises, as data, for an account whose facts are known.

Unknown facts mean the weaker limit and the weaker guarantee.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from postsched.domain.film import FilmRules
from postsched.domain.picture import PictureRules
from postsched.domain.quota import Quota

FOREVER = timedelta.max
"""For `Guarantee.deduplicates`: the network never forgets a key."""


class Unit(StrEnum):
    """What a network counts when it measures text."""

    GRAPHEMES = "graphemes"
    CODE_POINTS = "code points"
    UTF16 = "UTF-16 units"
    WEIGHTED = "weighted characters"
    EMOJI_BYTES = "characters, emoji as bytes"
    """Code points, but for those of emoji, which count their bytes of UTF-8 (Threads)."""


class CommentAs(StrEnum):
    """How a first comment is made."""

    REPLY = "reply"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Guarantee:
    """How a lost answer can be settled.

    `deduplicates`: for how long after the first send the network answers the same key with the
    same post, or None if it has no memory for keys. `can_look_up`: whether it can be asked if a
    post is there. `look_ups` are the waits, in seconds, before each question; only after the last
    of them does "not there" count (networks show a new post with delay).
    """

    deduplicates: timedelta | None = None
    can_look_up: bool = False
    look_ups: tuple[float, ...] = (2.0, 30.0)
    prepares_alike: bool = False
    """Whether preparing a text without media asks nobody and gives the same every time. Then it
    need not be on record before it is sent: it can be made again to settle a lost answer."""
    comments: bool = True
    """Whether this holds for first comments too; else nothing can settle a lost answer to one."""

    @property
    def of_comments(self) -> Guarantee:
        """The guarantee for a first comment."""
        return self if self.comments else Guarantee()

    @property
    def settles(self) -> bool:
        """Whether a lost answer can be settled without a person."""
        return self.deduplicates is not None or self.can_look_up

    @property
    def settles_anew(self) -> bool:
        """The same where what was sent is not on record, and has to be prepared anew: for a memory
        of what looks the same that is another post."""
        return self.can_look_up or (
            self.deduplicates is not None and (self.prepares_alike or self.deduplicates == FOREVER)
        )

    @property
    def words(self) -> str:
        """The guarantee in the words of the documentation."""
        if self.deduplicates == FOREVER:
            return "exactly once"
        later = "effectively once" if self.can_look_up else "at most once"
        if self.deduplicates is None:
            return later
        minutes = int(self.deduplicates.total_seconds() // 60)
        return f"exactly once for {minutes} min, then {later}"


@dataclass(frozen=True, slots=True)
class TextRules:
    """How long a part may be, and how the network counts.

    `limit` is in `unit`, None for no limit. `url_length` is what each http(s) URL counts,
    None for its full length. `byte_limit` is a second limit, in bytes of UTF-8. With
    `mention_domain_free`, `@user@domain` counts as `@user`. With `warning_counts`, the content
    warning is part of the length. Each character of `escapes` is sent, and counts, with a backslash
    before it, but for what the regular expression `unescaped` matches (see `escaping`).
    """

    limit: int | None = None
    unit: Unit = Unit.GRAPHEMES
    url_length: int | None = None
    byte_limit: int | None = None
    mention_domain_free: bool = False
    warning_counts: bool = False
    may_be_empty_with_media: bool = True
    escapes: str = ""
    unescaped: str | None = None
    max_links: int | None = None
    """How many different web addresses there may be, the link among them."""
    caption_limit: int | None = None
    """The limit of a text beside media, where it is another than that of a text alone."""
    max_tags: int | None = None
    """How many #tags there may be."""
    usual_tags: int | None = None
    """How many #tags are advised; more are sent, and said."""
    max_mentions: int | None = None
    """How many @mentions there may be."""


@dataclass(frozen=True, slots=True)
class MediaRules:
    """Which files a part may carry. Sizes are bytes; `types` maps a MIME type to its largest size
    (None: no limit known). A part has at most `count` images, or `alone` other files; `singles`
    are types of images that count as such others."""

    count: int = 0
    alone: int = 1
    types: Mapping[str, int | None] = field(default_factory=dict)
    max_pixels: int | None = None
    alt: bool = True
    """Whether files can be described."""
    alt_limit: int | None = None
    undescribed: frozenset[str] = frozenset()
    """The types of files (such as `video/*`) that can't be described where others can."""
    mixed: bool = False
    """Whether images and other files may go together in one part."""
    from_url: bool = False
    """Whether the network fetches a public URL itself."""
    from_bytes: bool = True
    sent_alone: frozenset[str] = frozenset()
    """Where that is not so: the types of which a file that is alone in its part is sent all the
    same."""
    instead: str | None = None
    """What to do with a file where only addresses are taken, as far as more is known."""
    needed: bool = False
    """Whether there is no post without media."""
    singles: frozenset[str] = frozenset()
    files: int | None = None
    """How many files a part may have in all, where images and others count together."""
    albums: tuple[frozenset[str], ...] = ()
    """Where there are any: several files of one part must all be of types in one of these sets."""
    total_bytes: int | None = None
    """How large the files of one part may be together."""
    picture: PictureRules = field(default_factory=PictureRules)
    film: FilmRules = field(default_factory=FilmRules)

    def takes_file(self, kind: str | None, *, alone: bool) -> bool:
        """Whether a file of that type is sent, rather than fetched from a public address."""
        return self.from_bytes or (alone and kind in self.sent_alone)

    def rule(self, kind: str) -> str | None:
        """Which of `types` a MIME type falls under, None if it is not taken."""
        accepted = (kind, f"{kind.partition('/')[0]}/*", "*/*")
        return next((each for each in accepted if each in self.types), None)

    def largest(self, kind: str) -> int | None:
        """The largest size of a file of that type, which is taken; None: no limit is known."""
        return self.types[self.rule(kind) or kind]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Limits and guarantee of one account."""

    text: TextRules = field(default_factory=TextRules)
    media: MediaRules = field(default_factory=MediaRules)
    guarantee: Guarantee = field(default_factory=Guarantee)
    thread: bool = False
    comment: CommentAs | None = None
    comment_text: TextRules | None = None
    """The rules for the text of a first comment, where they are others than a post's."""
    visibilities: frozenset[str] = frozenset({"public"})
    warning: bool = False
    warnings: frozenset[str] = frozenset()
    """The only content warnings there are; empty where any text can be one."""
    languages: bool = False
    link_card: bool = False
    """Whether `link` is shown as a card of its own, rather than by being in the text."""
    card_beside_media: bool = False
    """Whether that is so beside media too; else the link is in the text there."""
    title: bool = False
    titled: frozenset[str] = frozenset()
    """What alone has a title: `link` for its card, and types of media; empty: every post."""
    titled_words: str = ""
    """The same in words."""
    title_limit: int | None = None
    """Characters of a title."""
    delete: bool = False
    prepares_link: bool = False
    """Whether a link or mention needs requests that are worth making ahead of time."""
    prepares_text: bool = False
    """Whether every post needs such requests, even one that is nothing but text."""
    prepares_in_turn: bool = False
    """Whether a step can be prepared only once those before are out, as it is made of their ids."""
    quotas: tuple[Quota, ...] = ()
    """How much is taken in a length of time. The setting `rate` takes the place of the first."""
    refuses_equal: timedelta | None = None
    """For how long a text is refused that the account has posted already; None: it is taken."""
    ways: Mapping[str, str] = field(default_factory=dict)
    """What the network does in a way of its own with something that a post may have: thread,
    comment, link, title, warning, lang, media, film, gif, hashtag, mention, or a visibility. A
    sentence each, which is said of every post that has it."""
    notes: tuple[str, ...] = ()
    """Sentences for the user on what this network does differently."""
