"""Drafts of those who may only propose: each may change and discard the ones it made itself, until
a person approves, takes or discards them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postsched.domain.draft import Draft
from postsched.domain.errors import Forbidden
from postsched.domain.post import Post
from postsched.service.desk import Desk, posts_named
from postsched.store import posts as post_rows
from postsched.store import proposals

if TYPE_CHECKING:
    from sqlalchemy import Connection

INSTEAD = "Ask the person to change it, or propose another draft"


def discard(desk: Desk, post_id: int, author: str) -> None:
    """Cancel a draft that `author` made, in one transaction: what was approved meanwhile goes out.
    Raises NotFound, Forbidden."""
    with desk.database.write() as connection:
        (post,) = posts_named(connection, [post_id])
        expect_own(connection, post_id, post, author)
        post_rows.cancel_draft(connection, post_id, desk.now())
    desk.tell()


def expect_own(connection: Connection, post_id: int, found: Post | Draft, author: str) -> None:
    """Raise Forbidden for what is no draft, and for a draft that somebody else made."""
    if not found.draft:
        raise Forbidden(
            f"post {post_id} is no draft (any more), and only drafts may be changed here", INSTEAD
        )
    if proposals.author_of(connection, post_id) != author:
        raise Forbidden(f"draft {post_id} was made by somebody else", INSTEAD)
