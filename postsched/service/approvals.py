"""Drafts that wait for an approval, the newest first: read page by page, and discarded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from postsched.domain.draft import Draft
from postsched.domain.errors import NotAllowed
from postsched.domain.post import Content, Post
from postsched.domain.schedule import Schedule
from postsched.service.desk import Desk, posts_named
from postsched.service.drafts import written_as
from postsched.store import attention
from postsched.store import posts as post_rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

Place = tuple[datetime, int]
"""When a draft was written (UTC), and its id: what is older comes behind it."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A draft, when it would go out first (UTC; None: it has no time yet, or takes the next free
    slot), and who proposed it, None where nobody had to."""

    post: Post
    draft: Draft
    at: datetime | None
    author: str | None

    @property
    def content(self) -> Content:
        """What is let out."""
        return self.post.content

    @property
    def place(self) -> Place:
        """Its place among the others."""
        return self.post.created_at, self.post.id


@dataclass(frozen=True, slots=True)
class Approvals:
    """Some of the drafts; how many there are in all; and the place behind which there are more,
    None where these are the oldest."""

    found: Sequence[Proposed]
    count: int
    behind: Place | None


def read(desk: Desk, before: Place | None, most: int) -> Approvals:
    """Up to `most` drafts, behind that place. Raises StoreUnavailable."""
    with desk.database.read() as connection:
        found = newest(connection, most + 1, before)
        count = attention.draft_count(connection)
    behind = found[most - 1].place if len(found) > most else None
    return Approvals(found[:most], count, behind)


def newest(connection: Connection, most: int, before: Place | None = None) -> list[Proposed]:
    """Up to `most` drafts, behind that place."""
    authors = attention.drafts(connection, most, before)
    ids = list(authors)
    posts = post_rows.get(connection, ids)
    schedules = post_rows.schedule_of(connection, ids)
    return [_proposed(posts[n], schedules[n], authors[n]) for n in ids if n in posts]


def discard(desk: Desk, post_id: int) -> None:
    """Cancel a draft. What was approved meanwhile goes out all the same.

    Raises NotFound, and NotAllowed for what is no draft any more.
    """
    with desk.database.write() as connection:
        (post,) = posts_named(connection, [post_id])
        if not post.draft:
            raise NotAllowed(f"post {post_id} is no draft any more", "Look what has become of it")
        post_rows.cancel_draft(connection, post_id, desk.now())
    desk.tell()


def _proposed(post: Post, schedule: Schedule, author: str | None) -> Proposed:
    draft = written_as(post, schedule)
    at = schedule.first() if draft.has_time and not draft.slot else None
    return Proposed(post, draft, at, author)
