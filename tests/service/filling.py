"""A database with rows in every table, of every kind of value, whether they make sense or not."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Integer, LargeBinary, Table

from postsched.config import Settings
from postsched.media.kept import MediaStore
from postsched.store import pouring
from postsched.store.columns import Instant, Json, Span, Whole, micros
from postsched.store.opening import open_database
from postsched.store.tables import media, meta
from postsched.testing.picture import png

ROWS = 3
EMPTY = {"claim", "claim_worker", "claimed_at", "claim_until"}
"""What nobody holds."""
STRANGE = "Ω 🙂 \"'\\ \t\n%s {} é"


def fill(settings: Settings, now: datetime) -> None:
    """Make it, with one kept media file."""
    place = settings.media_folder.parent / "picture.png"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(png(2, 2))
    digest = MediaStore(settings.media_folder).keep(place).sha256
    with closing(open_database(settings.database)) as database, database.write() as connection:
        for table in pouring.tables():
            for number in range(1, ROWS + 1):
                row = {column.name: _value(table, column, number, now) for column in table.columns}
                if table is media:
                    row["sha256"] = digest
                names = ", ".join(f'"{name}"' for name in row)
                marks = ", ".join(["?" if database.path else "%s"] * len(row))
                connection.exec_driver_sql(
                    f"INSERT INTO {table.name} ({names}) VALUES ({marks})",
                    tuple(row.values()),
                )


def _value(table: Table, column: Column[Any], number: int, now: datetime) -> Any:
    """As the driver takes it; the first row has no more than it must, the last one large ones."""
    if column.foreign_keys or (column.primary_key and isinstance(column.type, type(Whole))):
        return None if column.nullable and number == 1 else number
    if column.name in EMPTY or (column.nullable and number == 1):
        return None
    if isinstance(column.type, Instant | Span) or column.type is Whole:
        return micros(now) * (100 if number == ROWS else 1) + number
    if isinstance(column.type, Integer):
        return number
    if isinstance(column.type, LargeBinary):
        return bytes([number, 0, 255])
    if isinstance(column.type, Json):
        return f'["{number}"]'
    return f"{number} {STRANGE}" if table is not meta else f"more {number}"
