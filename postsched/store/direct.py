"""Statements given to the driver of the database as they are, for what every turn asks.

SQLAlchemy's way to a cursor and its results takes ten times as long as SQLite itself, and twice as
long as the driver of PostgreSQL. It is gone all the same where somebody listens to its events.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Connection, exc


def fetch(connection: Connection, sql: str, values: Any = ()) -> list[Any]:
    """Run a statement as the driver takes it; the rows that it gives, if any. Raises DBAPIError."""
    if not _is_direct(connection):
        found = connection.exec_driver_sql(sql, values)
        return list(found) if found.returns_rows else []
    try:
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall()) if _gives_rows(cursor) else []
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, sql, error) from error


def change(connection: Connection, sql: str, rows: Sequence[Any]) -> int:
    """Run it with each of the sets of values; how many rows were changed in all. Raises
    DBAPIError."""
    if not _is_direct(connection):
        return connection.exec_driver_sql(sql, list(rows)).rowcount
    try:
        with closing(connection.connection.cursor()) as cursor:
            if len(rows) == 1:  # it is no faster as one of many
                cursor.execute(sql, rows[0])
            else:
                cursor.executemany(sql, rows)
            return cursor.rowcount
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, sql, error) from error


def _is_direct(connection: Connection) -> bool:
    engine, driver = connection.engine.dispatch, connection.dialect.dispatch
    return not (
        engine.before_cursor_execute
        or engine.after_cursor_execute
        or driver.do_execute
        or driver.do_executemany
        or driver.do_execute_no_params
    )


def _gives_rows(cursor: Any) -> bool:
    """Psycopg will not be asked for rows where there can be none, and takes long to describe
    them."""
    answer = getattr(cursor, "pgresult", None)
    return answer is None or answer.nfields > 0


def _told(connection: Connection, sql: str, error: Exception) -> BaseException:
    """As SQLAlchemy tells it, without the values: the texts of posts belong in no message. A
    connection that is lost with it is used no more."""
    base = connection.dialect.loaded_dbapi.Error
    wire = connection.connection.dbapi_connection
    # It is the driver's own error, for which SQLAlchemy has a protocol, and its driver no type.
    if connection.dialect.is_disconnect(error, wire, None):  # type: ignore[arg-type]
        connection.invalidate(error)
    return exc.DBAPIError.instance(
        sql, None, error, base, hide_parameters=True, dialect=connection.dialect
    )
