"""Entity tags in requests (RFC 9110, section 13): who changes a post says which one they saw."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header

from postsched.web.problems import Problem

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=2_000,
        description="The ETag of the post that is to be changed, or *. Needed.",
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(alias="If-None-Match", max_length=2_000, description="The ETag that is known"),
]


def names(header: str, etag: str, *, weakly: bool = False) -> bool:
    """Whether a header names an entity tag; `weakly`: as If-None-Match does."""
    listed = [one.strip() for one in header.split(",")]
    if weakly:
        listed = [one.removeprefix("W/") for one in listed]
    return "*" in listed or etag in listed


def expect(header: str | None, etag: str) -> None:
    """Raise Problem (412, 428) unless that is the one."""
    if header is None:
        raise Problem(
            428,
            "if-match",
            "If-Match is missing",
            "it isn't said which state of the post is to be changed",
            hint="Send its ETag as If-Match",
            field="If-Match",
        )
    if not names(header, etag):
        raise Problem(
            412,
            "changed",
            "It was changed meanwhile",
            "the post is not the one that If-Match names any more",
            hint="Read it again, and change that",
            field="If-Match",
        )
