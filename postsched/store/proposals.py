"""Who proposed which draft; a person's own drafts are in no row."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from postsched.store.proposal_tables import proposals


def note(connection: Connection, post_id: int, author: str) -> None:
    """A new draft was made by `author`, who may not let it go out."""
    connection.execute(proposals.insert().values(post_id=post_id, author=author))


def author_of(connection: Connection, post_id: int) -> str | None:
    """Who made a draft, None for a person and for what was approved."""
    query = select(proposals.c.author).where(proposals.c.post_id == post_id)
    return connection.scalar(query)


def forget(connection: Connection, post_id: int) -> None:
    """It is nobody's proposal any more: a person has approved or taken it."""
    connection.execute(delete(proposals).where(proposals.c.post_id == post_id))
