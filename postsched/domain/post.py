"""Posts: what is said, where, and how a post's status follows from its deliveries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from postsched.domain.delivery import DeliveryStatus

BREAK = re.compile(r"^---[ \t]*$", re.MULTILINE)
ESCAPED_BREAK = re.compile(r"^\\---([ \t]*)$", re.MULTILINE)


class PostStatus(StrEnum):
    """A post's status: computed from its deliveries, never stored."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Visibility(StrEnum):
    """Who may see a post, where a network lets one choose."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    FOLLOWERS = "followers"
    DIRECT = "direct"


class Missed(StrEnum):
    """What becomes of a post that is past its grace."""

    ASK = "ask"
    SKIP = "skip"
    LATE = "late"


class CatchUp(StrEnum):
    """Which missed occurrences of a series are still sent."""

    NEWEST = "newest"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or film: either `path` (a file kept by its SHA-256) or `url` (the network
    fetches it itself). `path` is the file's name when it was added, for people to recognise."""

    path: str | None = None
    url: str | None = None
    alt: str | None = None
    type: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One post of a thread; a post that is no thread has one part."""

    text: str
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """What a post says. `text` is as written (a line `---` parts a thread); `media` goes with the
    first part; `then` are further parts; `variants` replace all of the text for one account. In a
    series, `texts` take turns, and `vars` are what the text names. `worded` are the final texts of
    all parts, where one delivery has its own: nothing in them has a meaning any more."""

    text: str
    media: tuple[Media, ...] = ()
    then: tuple[Part, ...] = ()
    comment: str | None = None
    link: str | None = None
    title: str | None = None
    variants: Mapping[str, str] = field(default_factory=dict)
    visibility: Visibility | None = None
    warning: str | None = None
    lang: str | None = None
    texts: tuple[str, ...] = ()
    vars: Mapping[str, str] = field(default_factory=dict)
    worded: tuple[str, ...] = ()

    def parts(self, account: str | None = None) -> tuple[Part, ...]:
        """The parts in order, as the account of that name gets them."""
        if self.worded:
            return _worded(self.worded, replace(self, worded=()).parts(account))
        variant = self.variants.get(account) if account else None
        if variant is not None:
            return _with_media(split_thread(variant), self.media)
        first = _with_media(split_thread(self.text), self.media)
        rest = (
            Part(t, p.media if i == 0 else ())
            for p in self.then
            for i, t in enumerate(split_thread(p.text))
        )
        return first + tuple(rest)

    def has_media(self, account: str | None = None) -> bool:
        """Whether there are media in any part, as the account of that name gets them."""
        if not self.media and not self.then:
            return False
        return any(part.media for part in self.parts(account))


@dataclass(frozen=True, slots=True)
class Post:
    """A post as it is kept. `accounts` are the names it goes to; times are UTC. `callback` is the
    address that is told what becomes of each delivery."""

    id: int
    uid: str
    content: Content
    accounts: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    tags: tuple[str, ...] = ()
    missed: Missed = Missed.ASK
    grace: timedelta = timedelta(hours=24)
    catch_up: CatchUp = CatchUp.NEWEST
    priority: int = 0
    key: str | None = None
    draft: bool = False
    paused: bool = False
    spread: timedelta | None = None
    jitter: timedelta | None = None
    callback: str | None = None


def split_thread(text: str) -> tuple[str, ...]:
    r"""The texts between lines of `---`; a line `\---` is a literal `---`."""
    if "---" not in text:
        return (text.strip(),)
    pieces = (piece.strip() for piece in BREAK.split(text))
    return tuple(ESCAPED_BREAK.sub(r"---\1", piece) for piece in pieces)


def joined_thread(texts: Iterable[str]) -> str:
    """The text that `split_thread` makes these texts of."""
    return "\n---\n".join(BREAK.sub(r"\\\g<0>", text) for text in texts)


def _with_media(texts: Sequence[str], media: tuple[Media, ...]) -> tuple[Part, ...]:
    return tuple(Part(text, media if i == 0 else ()) for i, text in enumerate(texts))


def _worded(texts: Sequence[str], written: Sequence[Part]) -> tuple[Part, ...]:
    """Those texts, with the media of the parts in whose place they stand."""
    media = [part.media for part in written[: len(texts)]]
    media += [()] * (len(texts) - len(media))
    return tuple(map(Part, texts, media))


def post_status(draft: bool, deliveries: Iterable[tuple[datetime, DeliveryStatus]]) -> PostStatus:
    """A post's status, the first that fits, from (occurrence, status) of its deliveries."""
    if draft:
        return PostStatus.DRAFT
    rows = list(deliveries)
    statuses = {status for _, status in rows}
    if statuses & {DeliveryStatus.PUBLISHING, DeliveryStatus.CONFIRMING, DeliveryStatus.RETRYING}:
        return PostStatus.PUBLISHING
    if DeliveryStatus.SCHEDULED in statuses:
        return PostStatus.SCHEDULED
    newest = max((occurrence for occurrence, _ in rows), default=None)
    last = {status for occurrence, status in rows if occurrence == newest}
    if last <= {DeliveryStatus.CANCELLED}:
        return PostStatus.CANCELLED
    if last <= {DeliveryStatus.PUBLISHED, DeliveryStatus.CANCELLED}:
        return PostStatus.PUBLISHED
    if DeliveryStatus.PUBLISHED in last:
        return PostStatus.PARTIAL
    return PostStatus.FAILED
