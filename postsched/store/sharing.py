"""Whether workers take their turns at the same time, and what one reads another may be changing.

On SQLite whoever writes is alone. On a database server a turn locks the rows that it goes by, or
what it read is not so any more when it writes.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

GATES = 16
"""How many workers can take their turn at the same time: `postgres` has a gate for each."""


def is_shared(connection: Connection) -> bool:
    """Whether others may take their turns meanwhile."""
    return connection.dialect.name != "sqlite"


def take_time(connection: Connection) -> None:
    """Let this transaction rest between statements for as long as it likes."""
    if is_shared(connection):
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))


def gate_of(worker: int) -> int:
    """The gate that a worker goes through, by its id."""
    return worker % GATES
