"""Drafts of those who may not write posts: told by a tag, and checked as they change."""

from __future__ import annotations

from postsched.domain.draft import Draft
from postsched.domain.errors import NotAllowed
from postsched.domain.post import Post
from postsched.service.desk import Desk, posts_named
from postsched.store import posts as post_rows


def discard(desk: Desk, post_id: int, tag: str) -> None:
    """Cancel a draft with that tag, in one transaction: what was approved meanwhile goes out.
    Raises NotFound, NotAllowed."""
    with desk.database.write() as connection:
        (post,) = posts_named(connection, [post_id])
        expect_draft(post_id, post, tag)
        post_rows.cancel_draft(connection, post_id, desk.now())
    desk.tell()


def expect_draft(post_id: int, found: Post | Draft, tag: str) -> None:
    """Raise NotAllowed for what is no draft, and for one without that tag."""
    if not found.draft:
        raise NotAllowed(
            f"post {post_id} is no draft (any more), and only drafts may be changed here",
            "Ask the person to change it, or propose another draft",
        )
    if tag not in found.tags:
        raise NotAllowed(
            f"draft {post_id} is a person's own",
            f"They may hand it over: postsched edit {post_id} --tag {tag}",
        )
