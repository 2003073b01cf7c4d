"""The database server: whether it can be relied on, and how far away it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from postsched.service.checks.finding import Finding, Subject, counted, megabytes, ok, warning
from postsched.store import condition
from postsched.store.condition import Condition
from postsched.store.database import Database

SLOW = 0.1
"""Seconds for a round trip from which posts are late by it: a claim takes several."""
OFFSET = timedelta(seconds=1)
"""By how much this machine's clock may differ before somebody should know."""
FEW = 10
"""Free connections below which there is a warning."""
OFF = {
    "fsync": "a crash of its machine may damage the database, or take back what was noted as sent",
    "full_page_writes": "a crash of its machine may damage the database",
    "synchronous_commit": "a crash of the server may take back what was noted as sent last",
}
"""What it means that a setting is off."""


def server_findings(subject: Subject) -> Iterator[Finding]:
    """Nothing of it is changed."""
    database = subject.database
    if database is None or not subject.is_on_server:
        return
    with database.read() as connection:
        found = condition.of(connection)
    trip = f"{found.round_trip * 1000:.1f} ms there and back"
    size = f", {megabytes(found.size)}" if found.size is not None else ""
    yield ok("database", f"{database.name}{size}, schema version {found.schema}, {trip}")
    yield ok("server", found.version.partition(" on ")[0])
    if found.round_trip > SLOW:
        yield warning(
            "server", f"it is far away ({trip}): posts go out late by some of these",
            "Run postsched near it",
        )  # fmt: skip
    yield from _durability(found)
    yield from _connections(found)
    yield from _clock(database)


def _durability(found: Condition) -> Iterator[Finding]:
    for name, means in OFF.items():
        if found.settings.get(name) == "off":
            twice = "" if name == "full_page_writes" else ", which then goes out twice"
            yield warning(
                "server", f"{name} is off: {means}{twice}", f"ALTER SYSTEM SET {name} = on"
            )


def _connections(found: Condition) -> Iterator[Finding]:
    most = found.settings.get("max_connections", "")
    if most.isdigit() and found.connections is not None:
        free = int(most) - found.connections
        if free < FEW:
            yield warning(
                "server",
                f"{counted(free, 'connection')} of {most} free: a worker takes up to three",
                "Raise max_connections, or put a pooler in between (session mode)",
            )


def _clock(database: Database) -> Iterator[Finding]:
    if abs(database.offset) > OFFSET:
        seconds = abs(database.offset).total_seconds()
        side = "behind" if database.offset > timedelta(0) else "ahead of"
        yield warning(
            "clock",
            f"this machine's clock is {seconds:.1f} s {side} the server's, by which posts go out",
            "Nothing is late by that; but set both by NTP, for networks go by the right time",
        )
