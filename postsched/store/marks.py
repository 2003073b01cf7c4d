"""Whether a database was written to, without looking at any post."""

from __future__ import annotations

import os

from sqlalchemy import text

from postsched.store.database import Database

COUNTED = text(
    "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables"
)


def of(database: Database) -> str:
    """Something that is another after a commit: of SQLite what the system says of its files, of
    PostgreSQL what the server counts, which may come a second late. Raises StoreUnavailable."""
    if database.path is None:
        with database.read() as connection:
            return str(connection.scalar(COUNTED))
    return " ".join(_stamp(f"{database.path}{end}") for end in ("", "-wal"))


def _stamp(name: str) -> str:
    try:
        found = os.stat(name)
    except OSError:
        return "-"
    return f"{found.st_mtime_ns} {found.st_size}"
