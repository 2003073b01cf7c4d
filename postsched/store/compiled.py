"""Statements that are compiled once, for what is done for every post that goes out: to bind and to
read a row by SQLAlchemy takes several times as long as the database itself does.

Values and rows are plain, as the driver takes and gives them: instants and spans as microseconds,
JSON as text. `records` alone gives rows as the types of their columns say. The SQL is that of each
database's dialect.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Dialect,
    Select,
    TypeDecorator,
    bindparam,
)
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql import ClauseElement

from postsched.store import direct
from postsched.store.columns import Instant, instant

MOST = 512
"""How many ids are asked for in one statement, at the most."""


class Compiled:
    """One statement; `make` gives it for a connection's kind of database."""

    def __init__(self, make: Callable[[Connection], ClauseElement]) -> None:
        self._make = make
        self._known: dict[Dialect, _Text] = {}

    def run(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """Run it with one set of values, by name; the rows that it gives."""
        found = self._for(connection)
        return direct.fetch(connection, found.sql, found.bound(values))

    def run_all(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run it with each of the sets of values; how many rows were changed in all."""
        found = self._for(connection)
        return direct.change(connection, found.sql, [found.bound(row) for row in rows])

    def _for(self, connection: Connection) -> _Text:
        found = self._known.get(connection.dialect)
        if found is None:
            statement = self._make(connection)
            found = self._known[connection.dialect] = _Text(statement, connection.dialect)
        return found


class ByIds:
    """A SELECT of the rows with some ids or names; `make` gives it for a list of parameters."""

    def __init__(self, make: Callable[[Sequence[BindParameter[Any]]], Select[Any]]) -> None:
        self._make = make
        self._of_size: dict[int, tuple[Compiled, list[str]]] = {}
        self._reader: _Reader | None = None

    def records(self, connection: Connection, ids: Sequence[Any]) -> list[Any]:
        """The rows with their columns by name, in no order."""
        return list(map(self.record, self.rows(connection, ids)))

    def record(self, row: Sequence[Any]) -> Any:
        """A row with its columns by name, and values as their types say."""
        if self._reader is None:
            self._reader = _Reader(self._make([bindparam("id0")]))
        return self._reader.record(row)

    def rows(self, connection: Connection, ids: Sequence[Any]) -> list[Any]:
        """The rows, each once, in no order."""
        ids = list(dict.fromkeys(ids))
        found: list[Any] = []
        for start in range(0, len(ids), MOST):
            some = ids[start : start + MOST]
            size = 1 << (len(some) - 1).bit_length()
            statement, names = self._sized(size)
            padded = [*some, *[some[-1]] * (size - len(some))]
            found += statement.run(connection, dict(zip(names, padded, strict=True)))
        return found

    def _sized(self, size: int) -> tuple[Compiled, list[str]]:
        """For so many, a power of two, so that there are few statements, with the names of its
        values; the last id is repeated where there are fewer."""
        if size not in self._of_size:
            names = [f"id{n}" for n in range(size)]
            binds: list[BindParameter[Any]] = [bindparam(name) for name in names]
            self._of_size[size] = Compiled(lambda connection: self._make(binds)), names
        return self._of_size[size]


class _Reader:
    """Gives the values of rows as the types of their columns say."""

    def __init__(self, statement: Select[Any]) -> None:
        columns = list(statement.selected_columns)
        make: Callable[..., Any] = namedtuple  # the names are known only now
        self._record = make("Record", [column.key for column in columns])
        self._kinds = [
            (place, _reading(column.type))
            for place, column in enumerate(columns)
            if isinstance(column.type, TypeDecorator)
        ]

    def record(self, row: Sequence[Any]) -> Any:
        """A row by the names of its columns."""
        values = list(row)
        for place, read in self._kinds:
            if values[place] is not None:
                values[place] = read(values[place])
        return self._record._make(values)


def _reading(kind: TypeDecorator[Any]) -> Callable[[Any], Any]:
    if isinstance(kind, Instant):  # most are
        return instant
    return lambda value: kind.process_result_value(value, DIALECT)


DIALECT = DefaultDialect()
"""Stands for every database: our types are bound and read in the same way on each."""


class _Text:
    """A statement as the driver takes it."""

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        names = compiled.positiontup
        given = compiled.params.items()
        self._fixed = {name: value for name, value in given if not compiled.binds[name].required}
        self._pick = None if names is None else _picking(names)

    def bound(self, values: Mapping[str, Any]) -> Any:
        """The values in the way that the driver takes them."""
        merged = {**self._fixed, **values} if self._fixed else values
        return merged if self._pick is None else self._pick(merged)


def _picking(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)
