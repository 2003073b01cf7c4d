"""The room that an SQLite file takes, and giving back what of it is free."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from postsched.store.sqlite import explain_sqlite

PATIENCE = 5.0
"""Seconds to wait for others that write to the same file."""


@dataclass(frozen=True, slots=True)
class Room:
    """How large a file is, and how much of that is free, for what is written next: in bytes."""

    size: int
    free: int


def room(path: Path) -> Room:
    """The room that a database file takes. Raises StoreUnavailable."""
    try:
        with closing(_connect(path)) as connection:
            size, pages, free = (
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_size", "page_count", "freelist_count")
            )
    except sqlite3.Error as error:
        raise explain_sqlite(error, str(path)) from error
    return Room(size * pages, size * free)


def compact(path: Path) -> None:
    """Write a database file anew, without what is free in it. Meanwhile nobody else can write to
    it, and as much room as it takes is needed again. Raises StoreUnavailable."""
    try:
        with closing(_connect(path)) as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise explain_sqlite(error, str(path)) from error


def _connect(path: Path) -> sqlite3.Connection:
    # By URI, for a plain path would make a file where there is none.
    where = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(where, uri=True, timeout=PATIENCE, isolation_level=None)
