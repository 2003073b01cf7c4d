"""That a database has moved to another place: posts go out from there, and no more from here.

It is a row of `meta`, which every transaction that writes looks for; on a database server the gates
say so, which each of them passes anyway. So not even a worker that comes back after a long silence
can claim anything.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from shlex import quote

from sqlalchemy import Connection, delete, text, update

from postsched.domain.errors import StoreMoved
from postsched.store import direct
from postsched.store.columns import EPOCH, MICROSECOND, micros
from postsched.store.tables import meta

TO, FROM = "moved_to", "moved_from"
"""Under these names `meta` has where it has moved to, and by which move it came."""
GATES = "gate.%"
"""How the names of gates are: see `postgres`."""
SHUT = "moved"
"""The value of a gate through which nobody may go any more."""
LOOK = f"SELECT value FROM meta WHERE name = '{TO}'"  # noqa: S608 - a name of ours


@dataclass(frozen=True, slots=True)
class Moved:
    """Where to (a path, or a URL without its password), when (UTC), and by which move: the place
    that it moved to has the same `token`."""

    to: str
    at: datetime
    token: str

    def refusal(self, name: str) -> StoreMoved:
        """What whoever wants to write to the database of that name is told."""
        return StoreMoved(
            f"the database {name} was moved to {self.to} on {self.at:%Y-%m-%d at %H:%M} UTC",
            "Go on there, with --db; if that one is not used: "
            f"postsched copy --release {quote(name)}",
        )


def parsed(value: str | None) -> Moved | None:
    """What that row of `meta` says; None where there is none."""
    if value is None:
        return None
    said = json.loads(value)
    return Moved(said["to"], EPOCH + said["at"] * MICROSECOND, said["token"])


def of(connection: Connection) -> Moved | None:
    """Where a database has moved to, None if it is where it was."""
    rows = direct.fetch(connection, LOOK)
    return parsed(rows[0][0]) if rows else None


def refuse(connection: Connection, name: str) -> None:
    """Raise StoreMoved if the database has moved."""
    if found := of(connection):
        raise found.refusal(name)


def mark(connection: Connection, moved: Moved) -> None:
    """Note that it has moved."""
    clear(connection)
    value = json.dumps({"to": moved.to, "at": micros(moved.at), "token": moved.token})
    connection.execute(meta.insert(), {"name": TO, "value": value})
    _turn_gates(connection, SHUT)


def clear(connection: Connection) -> None:
    """Note that it is where it was."""
    connection.execute(delete(meta).where(meta.c.name == TO))
    _turn_gates(connection, "")


def _turn_gates(connection: Connection, value: str) -> None:
    connection.execute(update(meta).where(meta.c.name.like(GATES)).values(value=value))


def arrive(connection: Connection, token: str) -> None:
    """Note by which move it came."""
    connection.execute(meta.insert(), {"name": FROM, "value": token})


def arrived(connection: Connection) -> str | None:
    """The token of the move by which it came, None for a database that was made here."""
    query = text("SELECT value FROM meta WHERE name = :name")
    found: str | None = connection.execute(query, {"name": FROM}).scalar()
    return found
