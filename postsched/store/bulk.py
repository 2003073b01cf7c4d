"""Writing many new posts at once.

A post is packed into plain values first, as the driver takes them and as JSON can hold them, so
that many can wait in a file until all are known to be good. Then they are written by statements
that are compiled once: binding each row anew would take longer than writing it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import compress
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, Table, TypeDecorator, insert
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import IntegrityError

from postsched.domain.errors import InvalidInput
from postsched.domain.post import Post
from postsched.domain.schedule import Schedule
from postsched.store import posts as post_rows
from postsched.store import zone_notes
from postsched.store.columns import EPOCH
from postsched.store.plans import Planned, planned_values
from postsched.store.tables import deliveries, media, posts, schedules, targets

Packed = list[Any]
"""The row of a post without its id, then for each of CHILDREN the rows that belong to the post,
without its id."""
CHILDREN = (targets, schedules, media, deliveries)
_SCHEDULES = 1 + CHILDREN.index(schedules)
_ZONE = [column.name for column in schedules.c if column.name != "post_id"].index("tz")
"""Where in a packed post its schedules are, and in a schedule its zone."""
MANY = 20_000
CACHE = 131_072
"""KiB of the file in memory while more than MANY posts are written, at the most."""
PLANNED = frozenset(planned_values(Planned(0, 0, EPOCH, None)))
"""The columns that a new delivery has."""
DIALECT = DefaultDialect()
"""Stands for every database: our types are bound in the same way on each."""
Bind = Callable[[Any, Dialect], Any]


def pack(
    post: Post,
    digest: str,
    schedule: Schedule,
    account_ids: Sequence[int],
    planned: Sequence[Planned],
) -> Packed:
    """A new post with all that belongs to it; its id is ignored."""
    rows = post_rows.part_values(0, post.content, account_ids, schedule)
    rows[deliveries] = [planned_values(one) for one in planned]
    packed: Packed = [_plain(posts, post_rows.new_values(post, digest))]
    packed += ([_plain(table, values) for values in rows[table]] for table in CHILDREN)
    return packed


def columns(table: Table) -> list[str]:
    """The names of the values of a packed row, in their order."""
    return list(_layout(table).defaults)


def write(connection: Connection, packed: Sequence[Packed]) -> range:
    """Write packed posts; their ids, in order. The caller holds the write lock, so that its
    ids are free. Raises InvalidInput if a post with one of the keys is there."""
    ids = post_rows.take_ids(connection, len(packed))
    try:
        _write(connection, posts, [(n, *one[0]) for n, one in zip(ids, packed, strict=True)])
    except IntegrityError as error:
        raise InvalidInput("two posts have the same key", "Give each its own") from error
    for place, table in enumerate(CHILDREN, 1):
        rows = [(n, *row) for n, one in zip(ids, packed, strict=True) for row in one[place]]
        _write(connection, table, rows)
    zone_notes.note(connection, {row[_ZONE] for one in packed for row in one[_SCHEDULES]})
    return ids


def _write(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write rows. Columns in which all of them have nothing are left out: to bind nothing takes
    longer than to bind something."""
    if not rows:
        return
    given = [values.count(None) < len(rows) for values in zip(*rows, strict=True)]
    statement, names = _statement(table, connection.dialect, tuple(given))
    used = [tuple(compress(row, given)) for row in rows]
    plain = [dict(zip(names, row, strict=True)) for row in used] if names else used
    connection.exec_driver_sql(statement, list(plain))


@lru_cache(maxsize=64)
def _statement(
    table: Table, dialect: Dialect, given: tuple[bool, ...]
) -> tuple[str, Sequence[str] | None]:
    """The INSERT of the columns that are given, and the names of its values where the driver takes
    them by name."""
    names = list(compress([_lead(table), *_layout(table).defaults], given))
    compiled = insert(table).compile(dialect=dialect, column_keys=names)
    assert compiled.positiontup in (None, names), "the columns are in the order of the table"
    return str(compiled), None if compiled.positiontup else names


def make_room(connection: Connection, posts: int) -> None:
    """Before so many posts are written: have more of the file in memory, for the keys of posts lie
    anywhere in it. A server has its own."""
    if posts > MANY and connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA cache_size=-{CACHE}")


def _plain(table: Table, values: dict[str, Any]) -> list[Any]:
    """A row as the driver takes it, without the id it begins with."""
    layout = _layout(table)
    row = list(layout.values_of(layout.defaults | values))
    for place, bind in layout.binds:
        if row[place] is not None:
            row[place] = bind(row[place], DIALECT)
    return row


def _lead(table: Table) -> str:
    return "id" if table is posts else "post_id"


class _Layout(NamedTuple):
    """The columns of a table but the id a row begins with, with their defaults; how their values
    are taken from a mapping in that order; and how those are bound that need it, by their place."""

    defaults: dict[str, Any]
    values_of: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    binds: Sequence[tuple[int, Bind]]


@cache
def _layout(table: Table) -> _Layout:
    """Of a table; what a new delivery never has is left out."""
    columns = [column for column in table.c if column.name not in ("id", _lead(table))]
    if table is deliveries:
        columns = [column for column in columns if column.name in PLANNED or column.default]
    defaults = {column.name: _default(column) for column in columns}
    binds = [(place, _bind(column.type)) for place, column in enumerate(columns)]
    return _Layout(
        defaults,
        itemgetter(*defaults),
        [(place, bind) for place, bind in binds if bind is not None],
    )


def _default(column: Any) -> Any:
    return column.default.arg if column.default is not None else None


def _bind(kind: Any) -> Bind | None:
    return kind.process_bind_param if isinstance(kind, TypeDecorator) else None
