"""PostgreSQL: one database for any number of workers, on any number of hosts.

What writes is alone, as on SQLite, but for workers: they take their turns at the same time, each
holding what it has claimed. For this there are gates, rows that are locked: a worker's turn goes
through one, all else that writes locks them all. They are rows, and not a lock of PostgreSQL's own,
so that they hold on every database that speaks its language.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, Engine, create_engine, event, exc, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.url import URL
from sqlalchemy.exc import ArgumentError

from postsched.domain.errors import StoreBusy, StoreInDoubt, StoreRefused, StoreUnavailable
from postsched.store import marks, migrations, moved, sqlstates
from postsched.store.compiled import Compiled
from postsched.store.database import PATIENCE, Database
from postsched.store.naming import plain
from postsched.store.sharing import GATES, gate_of
from postsched.store.tables import meta, metadata

CHANNEL = "postsched"
"""Where workers are told that something changed."""
TELL = text(f"{marks.COUNT} RETURNING pg_notify('{CHANNEL}', '')")
SAMPLES = 3
"""How often the server is asked for its time; the answer that came fastest counts."""
CONNECT_TIMEOUT = 10
"""Seconds to wait for a connection."""
ALIVE = {
    "connect_timeout": CONNECT_TIMEOUT,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""So that a server that is gone without a word is noticed."""
IDLE = 5
"""Seconds after which the server ends a transaction in which nothing more is said: its process is
suspended, or cut off, and would keep others from what it has locked for as long as it is. Less than
what is left of a claim when it is to be renewed, so that nothing it held is locked for longer."""
GONE = 2000
"""Milliseconds after which a statement that waits, for a lock, ends once its client is gone."""
LOOK_FOR_CLIENT = 140_000
"""The version of PostgreSQL from which on it can do that. Where it can't, it waits for its time to
be over."""
READING = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""One state of the database for all that is read; what writes sees each statement the latest, for
nobody else writes meanwhile."""
GATE = Compiled(lambda connection: text("SELECT value FROM meta WHERE name = :gate FOR UPDATE"))
ALL_GATES = text("SELECT value FROM meta WHERE name LIKE 'gate.%' ORDER BY name FOR UPDATE")
CREATING = 0x706F737473636864
"""The key of the lock under which tables are made."""


class PostgresDatabase(Database):
    """A database on a server."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._open: WeakSet[Any] = WeakSet()
        self._lock = threading.Lock()
        # Before SQLAlchemy asks a new connection anything, which may hang like all else.
        event.listen(engine, "connect", self._note, insert=True)

    def _note(self, raw: Any, *_: object) -> None:
        with self._lock:
            self._open.add(raw)

    @property
    def name(self) -> str:
        """Its URL, without what is secret in it."""
        url = self.engine.url.set(drivername="postgresql")
        return plain(url.render_as_string(hide_password=False))

    def turn(self, worker: int) -> AbstractContextManager[Connection]:
        """Others take their turns meanwhile: what this one reads may have changed, unless it has
        locked or claimed it."""
        return self._transaction(write=True, turn=worker)

    def age_of(self, worker: int) -> str:
        """Each gate has its own: so none waits for another's commit."""
        return f"age.{gate_of(worker):02}"

    def _options(self, *, write: bool) -> dict[str, object]:
        return {} if write else dict(READING)

    def _begin_writing(self, connection: Connection, turn: int | None) -> None:
        if turn is None:
            shut = connection.execute(ALL_GATES).scalar()
        else:
            (shut,) = GATE.run(connection, {"gate": _gate(gate_of(turn))})[0]
        if shut and not self.may_be_moved:
            moved.refuse(connection, self.name)

    def _end_writing(self, connection: Connection, turn: int | None) -> None:
        # In the transaction itself: whoever is told finds it, and nobody is not told.
        if turn is None and connection.in_transaction():
            connection.execute(TELL)

    def cut(self) -> None:
        """Break all connections: what waits for the server fails, and can be repeated."""
        import socket

        with self._lock:
            for raw in list(self._open):
                with suppress(Exception), socket.socket(fileno=_duplicate(raw.fileno())) as wire:
                    wire.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close all connections; what still waits for the server, in another thread, fails: the end
        of the program would wait for it."""
        super().close()
        self.cut()

    def measure(self, now: Callable[[], datetime]) -> None:
        """Compare this machine's clock with the server's. Raises StoreUnavailable."""
        try:
            with self.engine.connect() as connection:
                samples = [_compare(connection, now) for _ in range(SAMPLES)]
                connection.rollback()
        except exc.DBAPIError as error:
            raise self.explain(error) from error
        doubt, offset = min(samples)
        if abs(offset - self.offset) > doubt:  # else the one that is known is as good
            self.offset = offset

    def explain(self, error: exc.DBAPIError, *, committing: bool = False) -> StoreUnavailable:
        """The sentence for the user that an error of the database driver comes to."""
        said, state = sqlstates.said(error.orig), sqlstates.state_of(error.orig)
        if state in sqlstates.BUSY:
            return StoreBusy(f"the database {self.name} is busy: {said}", "Try again")
        for prefix, hint in sqlstates.HINTS.items():
            if state.startswith(prefix):
                return StoreUnavailable(f"the database {self.name} can't be used: {said}", hint)
        if state[:2] in sqlstates.RULES or (not state and isinstance(error, sqlstates.SLIPS)):
            return StoreRefused(f"the database {self.name} refused what was to be written: {said}")
        if committing:
            return StoreInDoubt(
                f"the connection to the database {self.name} was lost while the change was "
                f"written: {said}",
                "It may be there all the same: look before you do it again",
            )
        return StoreUnavailable(
            f"the database {self.name} can't be reached: {said}", sqlstates.REACH
        )


def open_server(place: str, patience: float = PATIENCE) -> PostgresDatabase:
    """Open the database at a `postgresql://` URL, making its tables as needed.

    `patience` is how long a statement waits for another writer, in seconds.
    Raises StoreUnavailable where it can't be used.
    """
    _tell_tables()
    database = PostgresDatabase(_engine(address(place), patience))
    try:
        _prepare(database)
    except BaseException:
        database.close()
        raise
    return database


def holds_tables(place: str) -> bool:
    """Whether our tables are in the database at a `postgresql://` URL. Raises StoreUnavailable
    where it can't be used, and for another program's."""
    database = PostgresDatabase(_engine(address(place), PATIENCE))
    try:
        with database.read() as connection:
            return migrations.version(connection) > 0
    finally:
        database.close()


def address(place: str) -> URL:
    """The URL for the driver. Raises StoreUnavailable for one that can't be read, or where the
    driver is not installed."""
    try:
        import psycopg  # noqa: F401 - whether it is there
    except ImportError as error:
        raise StoreUnavailable(
            "PostgreSQL needs the extra postgres", "Install it: pip install 'postsched[postgres]'"
        ) from error
    if place.partition("?")[0].count("@") > 1:  # a piece of it would be taken for the host
        raise StoreUnavailable(
            "the URL of the database can't be read",
            "Write an @ in the password as %40, or better: see PGPASSFILE",
        )
    try:
        return make_url(place).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):
        raise StoreUnavailable(
            "the URL of the database can't be read",
            "Give it as postgresql://USER@HOST:PORT/DATABASE",
        ) from None  # what is said of it may hold a piece of the password


def _engine(url: URL, patience: float) -> Engine:
    options = f"-c lock_timeout={int(patience * 1000)} -c TimeZone=UTC"
    options += " -c synchronous_commit=on"  # what was noted as sent must not be taken back
    options += f" -c idle_in_transaction_session_timeout={IDLE * 1000}"
    given = url.query.get("options", "")
    engine = create_engine(
        url,
        connect_args={
            "application_name": "postsched",
            **{name: value for name, value in ALIVE.items() if name not in url.query},
            "options": f"{options} {given}",
        },
        hide_parameters=True,  # the texts of posts belong in no error message
    )
    event.listen(engine, "connect", _configure)
    return engine


def _configure(connection: Any, _record: Any) -> None:
    """What networks say may have a NUL in it, which PostgreSQL keeps in no text. Of servers that
    speak its language not all know every setting, nor on every system: it is tried."""
    from psycopg.types.string import StrDumperUnknown

    class Kept(StrDumperUnknown):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}"))

    connection.adapters.register_dumper(str, Kept)
    if connection.info.server_version >= LOOK_FOR_CLIENT:
        connection.pgconn.exec_(f"SET client_connection_check_interval = {GONE}".encode())


def _prepare(database: PostgresDatabase) -> None:
    """Create or migrate, alone; one cheap read where nothing is to be done."""
    version = None
    try:
        with database.read() as connection:
            version, database.moved = migrations.stored_version(connection)
    except StoreRefused:
        pass  # there is no table yet, or it is another program's
    if version == migrations.latest():
        return
    try:
        with database.engine.connect() as connection, connection.begin():
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CREATING})
            if version is not None:
                connection.execute(ALL_GATES)
            migrations.migrate(connection)
            _make_gates(connection)
    except exc.DBAPIError as error:
        raise database.explain(error) from error


def _make_gates(connection: Connection) -> None:
    names = [_gate(number) for number in range(GATES)]
    known = set(connection.scalars(select(meta.c.name).where(meta.c.name.in_(names))))
    rows = [{"name": name, "value": ""} for name in names if name not in known]
    if rows:
        connection.execute(meta.insert(), rows)


def _gate(number: int) -> str:
    return f"gate.{number:02}"


def _tell_tables() -> None:
    """The conditions of the indexes, for PostgreSQL too."""
    for table in metadata.tables.values():
        for index in table.indexes:
            where = index.dialect_options["sqlite"].get("where")
            if where is not None:
                index.dialect_options["postgresql"]["where"] = where


def _compare(connection: Connection, now: Callable[[], datetime]) -> tuple[timedelta, timedelta]:
    """By how much the offset may be wrong, and the offset."""
    before = now()
    there: datetime = connection.scalar(text("SELECT clock_timestamp()"))
    after = now()
    half = (after - before) / 2
    return half, there - (before + half)


def _duplicate(descriptor: int) -> int:
    import os

    return os.dup(descriptor)
