"""Whether a database was written to, without looking at any post."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sqlalchemy import text

from postsched.store import age

if TYPE_CHECKING:
    from postsched.store.database import Database

WRITTEN = "written"
"""Under this name `meta` has how often a database on a server was written to besides the turns of
workers, which have their ages."""
COUNT = (
    f"INSERT INTO meta (name, value) VALUES ('{WRITTEN}', '1') ON CONFLICT (name) DO UPDATE "  # noqa: S608 - constants
    "SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT)"
)
"""Counts one more, in the transaction itself."""
# What the server counts by itself (pg_stat_user_tables) it may tell ten seconds late.
COUNTED = text(
    f"SELECT name, value FROM meta WHERE {age.EVERY} OR name = '{WRITTEN}' ORDER BY name"  # noqa: S608 - constants
)


def of(database: Database) -> str:
    """Something that is another after a commit: of SQLite what the system says of its files, of
    PostgreSQL what is counted in it. Raises StoreUnavailable."""
    if database.path is None:
        with database.read() as connection:
            return " ".join(f"{row.name} {row.value}" for row in connection.execute(COUNTED))
    return " ".join(_stamp(f"{database.path}{end}") for end in ("", "-wal"))


def _stamp(name: str) -> str:
    try:
        found = os.stat(name)
    except OSError:
        return "-"
    return f"{found.st_mtime_ns} {found.st_size}"
