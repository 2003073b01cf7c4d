"""Posts that have left the database: what is still known of them, for ever.

Of each a short row stays: its number, which no other post gets, and what its key stands for, so
that the same post added or imported again does not go out again. The key itself, which may be long,
is kept as a digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from postsched.store.gone_tables import gone
from postsched.store.upserts import upsert

OWN_KEY = "post-"
"""How the key begins that an exported post gets where it has none; its uid follows."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A post that has left. `digest` is what its key stood for, `gist` tells what it said; `month`
    is that of the archive it is in, such as 202611, None where it was not archived."""

    post_id: int
    digest: str | None
    gist: bytes | None
    month: int | None

    @property
    def file(self) -> str | None:
        """The name of the file in the archive that it is in."""
        return file_of(self.month) if self.month is not None else None


def file_of(month: int) -> str:
    """The name of the archive's file of a month, such as 202611."""
    return f"{month // 100:04d}-{month % 100:02d}.jsonl"


def note(connection: Connection, left: Iterable[tuple[Gone, str]]) -> None:
    """Note posts that leave, each with the key that it had, or that its export would have."""
    values = [
        {
            "post_id": one.post_id,
            "mark": _mark(key),
            "digest": bytes.fromhex(one.digest) if one.digest else None,
            "gist": one.gist,
            "month": one.month,
        }
        for one, key in left
    ]
    if values:
        connection.execute(upsert(connection, gone).on_conflict_do_nothing(), values)


def get(connection: Connection, post_id: int) -> Gone | None:
    """What is known of a post that had that number, None if none has left."""
    row = connection.execute(select(gone).where(gone.c.post_id == post_id)).one_or_none()
    return _gone_of(row) if row is not None else None


def by_key(connection: Connection, key: str) -> tuple[int, str | None] | None:
    """The number that the post with that key had, and what the key stands for."""
    found = by_keys(connection, [key]).get(key)
    return (found.post_id, found.digest) if found is not None else None


def by_keys(connection: Connection, keys: Sequence[str]) -> dict[str, Gone]:
    """Key -> the post that had it, for those of the keys that were of posts which have left. Costs
    next to nothing where none has."""
    if not keys or connection.scalar(select(gone.c.post_id).limit(1)) is None:
        return {}
    marks = {_mark(key): key for key in keys}
    query = select(gone).where(gone.c.mark.in_(list(marks)))
    return {marks[bytes(row.mark)]: _gone_of(row) for row in connection.execute(query)}


def _mark(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()[:16]


def _gone_of(row: Row[Any]) -> Gone:
    digest = bytes(row.digest).hex() if row.digest is not None else None
    gist = bytes(row.gist) if row.gist is not None else None
    return Gone(row.post_id, digest, gist, row.month)
