"""The schema's versions: ordered steps, each applied once, inside the caller's transaction.

A new database gets the tables as they are now; an older one is brought up step by step; a newer
one is refused. A step, once released, never changes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, Index, Table, inspect, select, text, update
from sqlalchemy.schema import CreateColumn

from postsched.domain.errors import StoreUnavailable
from postsched.store import moved, zone_notes
from postsched.store.answer_tables import answers
from postsched.store.gone_tables import gone
from postsched.store.limit_tables import holds, limits
from postsched.store.moved import Moved
from postsched.store.outbox_tables import notifications
from postsched.store.proposal_tables import proposals
from postsched.store.session_tables import sessions
from postsched.store.slot_tables import slots
from postsched.store.tables import (
    deliveries,
    hosted,
    meta,
    metadata,
    posts,
    schedules,
    targets,
    workers,
)
from postsched.store.token_tables import tokens

Step = Callable[[Connection], None]


def _add_notifications(connection: Connection) -> None:
    notifications.create(connection)


def _add_hosted(connection: Connection) -> None:
    hosted.create(connection)


def _add_holds(connection: Connection) -> None:
    holds.create(connection)
    limits.create(connection)
    _index("sent").create(connection)


def _add_graces(connection: Connection) -> None:
    _index("graces").create(connection)


def _add_series(connection: Connection) -> None:
    added = {
        posts: ("texts", "vars", "spread", "jitter"),
        targets: ("stopped",),
        deliveries: ("number", "leads", "wording"),
    }
    for table, names in added.items():
        for name in names:
            column = CreateColumn(table.c[name]).compile(dialect=connection.dialect)
            connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {column}"))
    _index("leading").create(connection)
    _index("series", schedules).create(connection)


def _add_slots(connection: Connection) -> None:
    slots.create(connection)


def _note_zones(connection: Connection) -> None:
    zone_notes.note_all_in_use(connection)


def _add_signs_of_life(connection: Connection) -> None:
    column = CreateColumn(workers.c.seen_at).compile(dialect=connection.dialect)
    connection.execute(text(f"ALTER TABLE workers ADD COLUMN {column}"))


def _add_gone(connection: Connection) -> None:
    gone.create(connection)


def _add_in_slots(connection: Connection) -> None:
    _index("in_slots", schedules).create(connection)


def _add_tokens(connection: Connection) -> None:
    tokens.create(connection)


def _add_callbacks(connection: Connection) -> None:
    added = {posts: ("callback",), notifications: ("post_id", "url", "answer")}
    for table, names in added.items():
        there = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for name in names:
            if name not in there:  # the first step makes a table with all that it has now
                column = CreateColumn(table.c[name]).compile(dialect=connection.dialect)
                connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {column}"))


def _add_answers(connection: Connection) -> None:
    answers.create(connection)


def _add_sessions(connection: Connection) -> None:
    sessions.create(connection)


def _add_proposals(connection: Connection) -> None:
    proposals.create(connection)


def _index(name: str, table: Table = deliveries) -> Index:
    return next(index for index in table.indexes if index.name == name)


STEPS: Sequence[Step] = (
    _add_notifications, _add_hosted, _add_holds, _add_graces, _add_series, _add_slots,
    _note_zones, _add_signs_of_life, _add_gone, _add_in_slots, _add_tokens,
    _add_callbacks, _add_answers, _add_sessions, _add_proposals,
)  # fmt: skip
"""STEPS[0] leads from version 1 to version 2, and so on."""
STORED = text(f"SELECT name, value FROM meta WHERE name IN ('schema', '{moved.TO}')")  # noqa: S608
OURS = frozenset({"meta", "accounts", "posts", "deliveries"})
"""Tables that every version has: without them it is another program's database."""


def latest() -> int:
    """The schema version this program writes."""
    return 1 + len(STEPS)


def version(connection: Connection) -> int:
    """The schema version of the database, 0 for an empty one.

    Raises StoreUnavailable for a database of another program, and for a newer schema.
    """
    tables = inspect(connection).get_table_names()
    name = connection.engine.url.database
    if not tables:
        return 0
    if not OURS.issubset(tables):
        raise StoreUnavailable(
            f"{name} is the database of another program", "Name another file with --db"
        )
    found = connection.scalar(select(meta.c.value).where(meta.c.name == "schema"))
    if found is None or not found.isdigit():
        raise StoreUnavailable(
            f"the database {name} says no schema version", "Restore it: postsched restore FILE"
        )
    if int(found) > latest():
        raise StoreUnavailable(
            f"the database {name} has schema version {found}, this postsched knows up to "
            f"{latest()}",
            "Upgrade postsched (pip install -U postsched)",
        )
    return int(found)


def migrate(connection: Connection) -> None:
    """Bring the database to the latest version; a new one gets its uid."""
    found = version(connection)
    if found == 0:
        metadata.create_all(connection)
        rows = {"schema": str(latest()), "uid": secrets.token_hex(16)}
        connection.execute(meta.insert(), [{"name": n, "value": v} for n, v in rows.items()])
        return
    for step in STEPS[found - 1 :]:
        step(connection)
    connection.execute(update(meta).where(meta.c.name == "schema").values(value=str(latest())))


def stored_version(connection: Connection) -> tuple[int | None, Moved | None]:
    """The schema version, None if that can't be read, and where the database has moved to: by one
    cheap query."""
    found = {row.name: row.value for row in connection.execute(STORED)}
    version = found.get("schema", "")
    return int(version) if version.isdigit() else None, moved.parsed(found.get(moved.TO))
