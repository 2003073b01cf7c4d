"""All rows of one database into another, whichever engines they are on: unchanged, ids included.

Both keep instants, spans and JSON as the same numbers and texts, so rows are moved as they are, in
batches. At the end they are read back and compared by their digests. The callers own both
transactions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Table, exc, text

from postsched.domain.errors import NotAllowed
from postsched.store import marks, moved
from postsched.store.answer_tables import answers
from postsched.store.gone_tables import gone
from postsched.store.limit_tables import limits
from postsched.store.proposal_tables import proposals
from postsched.store.session_tables import sessions
from postsched.store.slot_tables import slots
from postsched.store.tables import meta, metadata, posts, workers
from postsched.store.token_tables import tokens

BATCH = 5000
"""Rows that are in memory at once."""
CACHE = 65_536
"""Of a file that is filled, so many kB are in memory."""
ELSEWHERE = (workers,)
"""What is not taken along: processes work on one database."""
EVERY = (answers, gone, limits, proposals, slots, tokens, sessions)
"""Tables of other modules, which thus are known."""


def tables(without: Collection[str] = ()) -> list[Table]:
    """What is taken along, each table after those that it refers to."""
    return [
        table for table in metadata.sorted_tables
        if table not in ELSEWHERE and table.name not in without
    ]  # fmt: skip


def count(connection: Connection, table: Table) -> int:
    """How many rows there are to be taken along."""
    return int(connection.execute(text(f"SELECT count(*) FROM {_rows(table)}")).scalar() or 0)  # noqa: S608


def is_empty(connection: Connection) -> bool:
    """Whether a database holds nothing but what a new one does."""
    looks = [f"EXISTS (SELECT 1 FROM {table.name})" for table in tables() if table is not meta]  # noqa: S608
    return not connection.execute(text(f"SELECT {' OR '.join(looks)}")).scalar()


def pour(
    source: Connection,
    target: Connection,
    told: Callable[[int, int], None],
    without: Collection[str] = (),
) -> dict[str, int]:
    """Copy all rows but those of the tables `without` into a database that is empty; how many they
    were, by table. `told` is called with how many rows of how many are done.

    Raises NotAllowed where what arrived is not what was sent.
    """
    wanted = tables(without)
    total = 2 * sum(count(source, table) for table in wanted)
    done, rows, sums = 0, {}, {}

    def passed(batches: Iterator[list[tuple[Any, ...]]]) -> Iterator[list[tuple[Any, ...]]]:
        nonlocal done
        for batch in batches:
            yield batch
            done += len(batch)
            told(done, total)

    target.execute(text(f"DELETE FROM {_rows(meta)}"))  # noqa: S608 - of ours
    with _indexed_later(target, wanted):
        for table in wanted:
            digest = _Digest()
            _write(target, table, digest.of(passed(batches(source, table))))
            rows[table.name], sums[table.name] = digest.count, digest.hexdigest()
    for table in wanted:
        digest = _Digest()
        for _ in digest.of(passed(batches(target, table))):
            pass
        if digest.hexdigest() != sums[table.name]:
            raise NotAllowed(
                f"the table {table.name} did not arrive as it was sent", "Try it again"
            )
    if target.dialect.name == "postgresql":
        _set_sequences(target, wanted)
        for table in wanted:  # else queries are planned as for empty tables, for a minute
            target.execute(text(f"ANALYZE {table.name}"))
    return rows


@contextmanager
def _indexed_later(connection: Connection, wanted: Sequence[Table]) -> Iterator[None]:
    """In a file, indexes are made faster when all rows are there, and with more of it in memory.
    (A server need not be able to change its tables in a transaction.)"""
    indexes = [index for table in wanted for index in table.indexes]
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.exec_driver_sql(f"PRAGMA cache_size=-{CACHE}")
    for index in indexes:
        index.drop(connection)
    yield
    for index in indexes:
        index.create(connection)


class _Digest:
    """Of rows, in order."""

    def __init__(self) -> None:
        self.count = 0
        self._hash = hashlib.sha256()

    def of(self, batches: Iterator[list[tuple[Any, ...]]]) -> Iterator[list[tuple[Any, ...]]]:
        """The same batches, counted in."""
        for batch in batches:
            self.count += len(batch)
            self._hash.update(repr(batch).encode("utf-8", "surrogatepass"))
            yield batch

    def hexdigest(self) -> str:
        """Of all that has passed."""
        return self._hash.hexdigest()


def _rows(table: Table) -> str:
    """A table, of `meta` without what belongs to a database as such."""
    if table is not meta:
        return table.name
    own = f"'{moved.TO}', '{moved.FROM}', '{marks.WRITTEN}'"
    return f"meta WHERE name NOT LIKE '{moved.GATES}' AND name NOT IN ({own})"


def _columns(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


def batches(connection: Connection, table: Table) -> Iterator[list[tuple[Any, ...]]]:
    """The rows as the driver gives them, in the order of their key, which is the same on both."""
    keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
    query = f"SELECT {_columns(table)} FROM {_rows(table)} ORDER BY {keys}"  # noqa: S608 - of ours
    found = connection.execute(text(query), execution_options={"yield_per": BATCH})
    for batch in found.partitions(BATCH):
        yield [tuple(row) for row in batch]


def _write(connection: Connection, table: Table, rows: Iterator[list[tuple[Any, ...]]]) -> None:
    if connection.dialect.name == "postgresql":
        _copy(connection, f"COPY {table.name} ({_columns(table)}) FROM STDIN", rows)
        return
    marks = ", ".join("?" * len(table.columns))
    statement = f"INSERT INTO {table.name} ({_columns(table)}) VALUES ({marks})"  # noqa: S608
    for batch in rows:
        connection.exec_driver_sql(statement, batch)


def _copy(
    connection: Connection, statement: str, rows: Iterator[Sequence[tuple[Any, ...]]]
) -> None:
    """By the server's own way for many rows, past SQLAlchemy."""
    raw: Any = connection.connection.driver_connection
    try:
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            for batch in rows:
                for row in batch:
                    copy.write_row(row)
    except connection.dialect.loaded_dbapi.Error as error:
        raise exc.DBAPIError(statement, None, error) from error


def _set_sequences(connection: Connection, wanted: Sequence[Table]) -> None:
    """So that new rows get numbers of their own."""
    for table in wanted:
        if "id" in table.c:
            used = f"SELECT max(id) FROM {table.name}"  # noqa: S608 - a name of ours
            if table is posts:
                used = f"SELECT greatest(({used}), (SELECT max(post_id) FROM {gone.name}))"  # noqa: S608
            sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
            connection.execute(text(f"SELECT setval({sequence}, ({used}))"))
