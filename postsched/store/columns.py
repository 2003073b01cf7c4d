"""The column types that keep instants aware and JSON plain.

Instants are 64-bit integers, microseconds since 1970 UTC: exact, sortable, equal on SQLite and
PostgreSQL.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, Text, TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
Whole = BigInteger().with_variant(Integer(), "sqlite")
Words = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that is compared character by character, as SQLite does, and by no language."""


class Instant(TypeDecorator[datetime]):
    """An aware datetime in UTC; a naive one is refused."""

    impl = Whole
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else micros(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else instant(value)


class Span(TypeDecorator[timedelta]):
    """A length of time, in microseconds."""

    impl = Whole
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: Dialect) -> int | None:
        return None if value is None else value // MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> timedelta | None:
        return None if value is None else value * MICROSECOND


class Json(TypeDecorator[Any]):
    """Plain JSON as text; NULL for None, and for anything empty."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> str | None:
        if not value:
            return None
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware instant. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("an instant without a time zone")
    return (moment - EPOCH) // MICROSECOND


@lru_cache(maxsize=1024)
def instant(micros: int) -> datetime:
    """The same back: in UTC. What is due at once, and claimed together, has few of them."""
    return EPOCH + micros * MICROSECOND
