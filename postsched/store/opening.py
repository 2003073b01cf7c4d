"""Opening a database of whatever kind."""

from __future__ import annotations

from pathlib import Path

from postsched.store.database import PATIENCE, Database

SERVER = "postgresql://"
"""How the URL of a database server begins."""


def open_database(place: str, patience: float = PATIENCE) -> Database:
    """Open the database at a path or URL, creating or migrating it as needed.

    `patience` is how long a statement waits for another writer, in seconds.
    Raises StoreUnavailable where it can't be used.
    """
    if place.startswith(SERVER):
        from postsched.store.postgres import open_server

        return open_server(place, patience)
    from postsched.store.sqlite import open_file

    return open_file(place, patience)


def is_made(place: str) -> bool:
    """Whether there is a database of ours at a path or URL; none is made. Raises StoreUnavailable
    where it can't be used, and for another program's."""
    if not place.startswith(SERVER):
        path = Path(place)
        return path.exists() and (not path.is_file() or path.stat().st_size > 0)
    from postsched.store.postgres import holds_tables

    return holds_tables(place)
