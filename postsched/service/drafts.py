"""A post as the draft it could have been written from: for editing and for export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from postsched.domain.draft import Draft, DraftMedia, DraftPart
from postsched.domain.duration import format_duration
from postsched.domain.post import Media, Post
from postsched.domain.schedule import Schedule
from postsched.service.desk import Desk, posts_named
from postsched.store import posts as post_rows

if TYPE_CHECKING:
    from sqlalchemy import Connection


def draft_of(desk: Desk, post_id: int) -> Draft:
    """The draft of one post. Raises NotFound."""
    with desk.database.read() as connection:
        (draft,) = drafts_of(connection, [post_id])
    return draft


def drafts_of(
    connection: Connection, post_ids: Sequence[int], folder: Path | None = None
) -> list[Draft]:
    """The drafts of posts. With the media `folder`, media are named by the files kept there, so
    that the drafts can be read elsewhere; else by the names they were added under."""
    posts = posts_named(connection, post_ids)
    plans = post_rows.schedule_of(connection, list(post_ids))
    return [_draft(post, plans[post.id], folder) for post in posts]


def _draft(post: Post, schedule: Schedule, folder: Path | None) -> Draft:
    content = post.content

    def media(mediums: Sequence[Media]) -> tuple[DraftMedia, ...]:
        return tuple(_medium(medium, folder) for medium in mediums)

    return Draft(
        text=content.text,
        to=post.accounts,
        at=schedule.at,
        tz=schedule.tz,
        media=media(content.media),
        then=tuple(DraftPart(part.text, media(part.media)) for part in content.then),
        comment=content.comment,
        link=content.link,
        title=content.title,
        variants=dict(content.variants),
        tags=post.tags,
        visibility=content.visibility.value if content.visibility else None,
        warning=content.warning,
        lang=content.lang,
        missed=post.missed.value,
        grace=format_duration(post.grace),
        catch_up=post.catch_up.value,
        priority=post.priority,
        key=post.key,
        draft=post.draft,
    )


def _medium(medium: Media, folder: Path | None) -> DraftMedia:
    path = medium.path
    if folder is not None and medium.sha256:
        path = str(folder / medium.sha256[:2] / medium.sha256)
        return DraftMedia(path, medium.url, medium.alt)
    return DraftMedia(path, medium.url, medium.alt, medium)
