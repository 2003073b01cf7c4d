"""Posts as data, as they are given; the names are those of files that are imported."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from postsched.web.schemas.base import Given

Text = Annotated[str, Field(max_length=1_000_000)]
Short = Annotated[str, Field(max_length=2_000)]
Number = Annotated[int, Field(ge=-(2**31) + 1, le=2**31 - 1)]
Several = Short | Annotated[list[Short], Field(max_length=10_000)]


class MediaIn(Given):
    """A picture or film: `path` is the name that an upload was answered with, `url` a public
    address, which the network fetches."""

    path: Short | None = None
    url: Short | None = None
    alt: Text | None = None


Mediums = Annotated[list[MediaIn], Field(max_length=1_000)]


class PartIn(Given):
    """A further part of a thread."""

    text: Text | None = None
    media: Mediums | None = None


class PostChanges(Given):
    """What is to change of a post; what is not named stays, null clears."""

    text: Text | None = None
    to: Several | None = None
    at: Annotated[Short | None, Field(description='When: "2026-12-01T09:00Z", "fri 14:30"')] = None
    tz: Annotated[Short | None, Field(description="A time zone: Europe/Berlin")] = None
    repeat: Literal["daily", "weekly", "monthly", "yearly"] | None = None
    every: Number | None = None
    on: Number | Short | Annotated[list[Short | Number], Field(max_length=1_000)] | None = None
    cron: Short | None = None
    rrule: Short | None = None
    except_: Annotated[Several | None, Field(alias="except")] = None
    from_: Annotated[Short | None, Field(alias="from")] = None
    until: Short | None = None
    count: Number | None = None
    slot: Annotated[bool | None, Field(description="Into the next free slot")] = None
    media: Mediums | None = None
    then: Annotated[list[Text | PartIn], Field(max_length=100)] | None = None
    comment: Text | None = None
    link: Short | None = None
    title: Short | None = None
    variants: Annotated[dict[str, Text] | None, Field(description="Account -> its text")] = None
    tags: Several | None = None
    visibility: Literal["public", "unlisted", "followers", "direct"] | None = None
    warning: Short | None = None
    lang: Short | None = None
    missed: Literal["ask", "skip", "late"] | None = None
    catch_up: Literal["newest", "all", "none"] | None = None
    grace: Annotated[Short | None, Field(description="A duration: 24h, 1h30m")] = None
    spread: Short | None = None
    jitter: Short | None = None
    texts: Text | Annotated[list[Text], Field(max_length=10_000)] | None = None
    vars: dict[str, str | int | float] | None = None
    callback: Short | None = None
    priority: Number | None = None
    key: Annotated[
        Annotated[str, Field(max_length=200)] | None,
        Field(description="The same key twice adds once, for ever"),
    ] = None
    draft: bool | None = None


class PostIn(PostChanges):
    """A post to be written. It needs a text, media or texts, and a time unless it is a draft."""

    to: Several
