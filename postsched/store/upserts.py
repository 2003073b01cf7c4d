"""INSERT … ON CONFLICT, which each engine's own dialect of SQLAlchemy makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table

if TYPE_CHECKING:
    from sqlalchemy.dialects.sqlite import Insert


def upsert(connection: Connection, table: Table) -> Insert:
    """An INSERT that can be told what to do with what is there already."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as of_postgres

        made: Insert = of_postgres(table)  # type: ignore[assignment]  # the same, under its name
        return made
    from sqlalchemy.dialects.sqlite import insert

    return insert(table)
