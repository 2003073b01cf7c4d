"""How texts begin: enough of each for a person to know it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from postsched.store.tables import posts

LONGEST = 300
"""Characters."""
CHUNK = 500


def openings(connection: Connection, post_ids: Sequence[int]) -> dict[int, str]:
    """The text that each post begins with, by id; at most LONGEST characters of it."""
    query = select(posts.c.id, func.substr(posts.c.text, 1, LONGEST))
    ids, found = sorted(set(post_ids)), dict[int, str]()
    for start in range(0, len(ids), CHUNK):
        rows = connection.execute(query.where(posts.c.id.in_(ids[start : start + CHUNK])))
        found |= {row[0]: row[1] for row in rows}
    return found
