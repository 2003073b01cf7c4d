"""Statements given to the driver of SQLite as they are, for what every turn asks.

SQLAlchemy's way to a cursor and its results takes ten times as long as SQLite itself. It is gone
all the same where somebody listens to its events, and to PostgreSQL, where connections get lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, exc


def fetch(connection: Connection, sql: str, values: Any = ()) -> list[Any]:
    """Run a statement as the driver takes it; the rows that it gives, if any. Raises DBAPIError."""
    if not _is_direct(connection):
        found = connection.exec_driver_sql(sql, values)
        return list(found) if found.returns_rows else []
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, sql, error) from error
    finally:
        cursor.close()


def change(connection: Connection, sql: str, rows: Sequence[Any]) -> int:
    """Run it with each of the sets of values; how many rows were changed in all. Raises
    DBAPIError."""
    if not _is_direct(connection):
        return connection.exec_driver_sql(sql, list(rows)).rowcount
    cursor = connection.connection.cursor()
    try:
        cursor.executemany(sql, rows)
        return cursor.rowcount
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, sql, error) from error
    finally:
        cursor.close()


def _is_direct(connection: Connection) -> bool:
    if connection.dialect.name != "sqlite":
        return False
    engine, driver = connection.engine.dispatch, connection.dialect.dispatch
    return not (
        engine.before_cursor_execute
        or engine.after_cursor_execute
        or driver.do_execute
        or driver.do_executemany
        or driver.do_execute_no_params
    )


def _told(connection: Connection, sql: str, error: Exception) -> BaseException:
    """As SQLAlchemy tells it, without the values: the texts of posts belong in no message."""
    base = connection.dialect.loaded_dbapi.Error
    return exc.DBAPIError.instance(
        sql, None, error, base, hide_parameters=True, dialect=connection.dialect
    )
