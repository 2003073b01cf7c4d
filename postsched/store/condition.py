"""What can be told of a database, above all of a server, without looking at any post."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Connection, exc, text

from postsched.store import migrations

SETTINGS = ("fsync", "full_page_writes", "synchronous_commit", "max_connections")
"""What is asked of the server."""
SAMPLES = 5
"""Round trips that are measured; the fastest counts."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Which version the server says it is, our schema's, seconds for a round trip, its settings by
    name (those that it knows), how many connections it has, and the bytes that the database takes,
    None if it does not tell."""

    version: str
    schema: int
    round_trip: float
    settings: dict[str, str]
    connections: int | None
    size: int | None


def of(connection: Connection) -> Condition:
    """Ask a server."""
    version = str(connection.scalar(text("SELECT version()")))
    schema = migrations.version(connection)
    round_trip = min(_round_trip(connection) for _ in range(SAMPLES))
    settings = {name: value for name in SETTINGS if (value := _asked(connection, f"SHOW {name}"))}
    count = _asked(connection, "SELECT count(*) FROM pg_stat_activity")
    connections = int(count) if count else None
    return Condition(version, schema, round_trip, settings, connections, size(connection))


def size(connection: Connection) -> int | None:
    """The bytes that the database takes, with what is free in it; None from a server that does not
    tell."""
    if connection.dialect.name == "sqlite":
        pages, each = (connection.scalar(text(f"PRAGMA page_{name}")) for name in ("count", "size"))
        return int(pages or 0) * int(each or 0)
    found = _asked(connection, "SELECT pg_database_size(current_database())")
    return int(found) if found else None


def _round_trip(connection: Connection) -> float:
    since = time.perf_counter()
    connection.execute(text("SELECT 1"))
    return time.perf_counter() - since


def _asked(connection: Connection, statement: str) -> str | None:
    """The answer, None from a server that knows no such thing."""
    try:
        with connection.begin_nested():
            return str(connection.execute(text(statement)).scalar())
    except exc.DBAPIError:
        return None
