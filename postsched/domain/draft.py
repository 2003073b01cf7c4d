"""A post as it was written down, before anything is looked up: one row of posts as data.

Values that need context (a time, a duration, an account) are still text here. `service.posts`
makes a post of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from postsched.domain.post import Media

ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
"""How an address begins, of the web or not; all else is the path of a file (C:// too)."""


@dataclass(frozen=True, slots=True)
class DraftMedia:
    """A medium as named: a path (relative to the file it was named in, resolved by the reader) or
    a URL. `kept` is the medium of a post that is there already, whose file need not be read."""

    path: str | None = None
    url: str | None = None
    alt: str | None = None
    kept: Media | None = None


@dataclass(frozen=True, slots=True)
class DraftPart:
    """A further part of a thread as written."""

    text: str
    media: tuple[DraftMedia, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """The names of "Posts as data", where Python takes one for itself with a `_` at its end. None
    and empty mean: not given."""

    text: str = ""
    to: tuple[str, ...] = ()
    at: str | None = None
    tz: str | None = None
    repeat: str | None = None
    every: int | None = None
    on: tuple[str, ...] = ()
    cron: str | None = None
    rrule: str | None = None
    except_: tuple[str, ...] = ()
    from_: str | None = None
    until: str | None = None
    count: int | None = None
    slot: bool = False
    media: tuple[DraftMedia, ...] = ()
    then: tuple[DraftPart, ...] = ()
    comment: str | None = None
    link: str | None = None
    title: str | None = None
    variants: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    visibility: str | None = None
    warning: str | None = None
    lang: str | None = None
    missed: str | None = None
    grace: str | None = None
    catch_up: str | None = None
    spread: str | None = None
    jitter: str | None = None
    texts: tuple[str, ...] = ()
    vars: Mapping[str, str] = field(default_factory=dict)
    callback: str | None = None
    priority: int | None = None
    key: str | None = None
    draft: bool = False

    @property
    def recurs(self) -> bool:
        """Whether it says more of its time than one instant."""
        return bool(
            self.repeat or self.cron or self.rrule or self.every or self.on or self.except_
            or self.from_ or self.until or self.count
        )  # fmt: skip

    @property
    def has_time(self) -> bool:
        """Whether it says when it goes out."""
        return bool(self.at or self.recurs or self.slot)
