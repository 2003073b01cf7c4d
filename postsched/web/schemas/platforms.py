"""What the platforms can do, as it is told."""

from __future__ import annotations

from postsched.web.schemas.base import Told


class Platform(Told):
    """A network and its usual limits; those of an account may be others, by what its server says.
    `counts` says how a text is counted, `guarantee` what becomes of a lost answer."""

    name: str
    title: str
    text_limit: int | None
    text_bytes: int | None
    counts: str
    media: int
    media_types: list[str]
    alt_text: bool
    alt_limit: int | None
    thread: bool
    comment: str | None
    visibility: list[str]
    warning: bool
    languages: bool
    link_card: bool
    delete: bool
    guarantee: str
    notes: list[str]


class Unusable(Told):
    """A platform that can't be loaded."""

    name: str
    error: str
