"""SQLite: one file, used by all processes of one machine.

WAL, synchronous=FULL (a "published" that a power cut takes back would go out twice), BEGIN
IMMEDIATE for every write (a deferred transaction that has read fails at once when another process
writes), files readable by their owner only, no network file systems. A file that is not ours, or
of a newer version, is left as it is, to the byte.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc
from sqlalchemy.pool import QueuePool

from postsched.domain.errors import StoreBusy, StoreRefused, StoreUnavailable
from postsched.store import direct, migrations, moved
from postsched.store.database import BREAKS_RULES, PATIENCE, Database, no_room
from postsched.store.place import file_id, is_full, log_of, make_file

SQLITE = sqlite3.sqlite_version
OLDEST_SQLITE = (3, 37)
"""The first with STRICT tables."""
WAL_TRIES, WAL_WAIT = 1000, 0.01
"""How often turning on the write-ahead log is tried where others use the new file already, and the
seconds in between."""

LOG = "postsched_log"
"""Under this name a connection keeps which file its write-ahead log is."""


class SqliteDatabase(Database):
    """A database file."""

    path: Path

    def __init__(self, engine: Engine, path: Path) -> None:
        super().__init__(engine)
        self.path = path
        self._log = log_of(path)
        self.file: tuple[int, int] | None = None
        """Which file it was when it was opened: device and inode."""

    @contextmanager
    def _transaction(self, *, write: bool, turn: int | None = None) -> Iterator[Connection]:
        try:
            with super()._transaction(write=write, turn=turn) as connection:
                yield connection
        except sqlite3.Error as error:  # from a cursor's iteration, past SQLAlchemy's wrapping
            raise explain_sqlite(error, self.name) from error

    def _check(self) -> None:
        """Not one that is gone, or another one in its place: what is written by a connection that
        is still open would be lost, and others would do the same again."""
        if self.file is None:
            return
        try:
            found = file_id(self.path)
        except OSError as error:
            raise StoreUnavailable(
                f"the database {self.path} is gone: {error.strerror}", "Put it back where it was"
            ) from error
        if found != self.file:
            raise StoreUnavailable(
                f"there is another file in the place of the database {self.path}",
                "Stop postsched, make sure that the right one is there, and start it again",
            )

    @contextmanager
    def _guarded(self, connection: Connection) -> Iterator[None]:
        """Not with a log that another program has removed: while a connection is open it must not,
        and what is written to it nobody else would see."""
        known = connection.info.get(LOG)
        if known is not None and known != _id_of(self._log):
            raise StoreUnavailable(
                f"the log of the database {self.path} was removed by another program",
                "Stop postsched, and start it again",
            )
        yield
        if connection.info.get(LOG) is None:
            connection.info[LOG] = _id_of(self._log)

    def explain(self, error: exc.DBAPIError, *, committing: bool = False) -> StoreUnavailable:
        """The sentence for the user that an error of the database driver comes to."""
        if isinstance(error, BREAKS_RULES):
            return StoreRefused(
                f"the database {self.name} refused what was to be written: {error.orig}"
            )
        if isinstance(error.orig, sqlite3.Error):
            return explain_sqlite(error.orig, self.name)
        return StoreUnavailable(f"the database {self.name} failed: {error.orig}")

    def _begin_writing(self, connection: Connection, turn: int | None) -> None:
        if self.file is not None and not self.may_be_moved:  # it is open
            moved.refuse(connection, self.name)

    @property
    def has_room(self) -> bool:
        """Whether there is room for more on its disk."""
        return not is_full(self.path.parent)

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file, as far as no reader is in the way."""
        try:
            with self.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")
        except exc.DBAPIError as error:
            raise self.explain(error) from error


def _id_of(path: Path) -> tuple[int, int] | None:
    try:
        return file_id(path)
    except OSError:
        return None


def open_file(place: str, patience: float = PATIENCE) -> SqliteDatabase:
    """Open the database file at a path, creating or migrating it as needed.

    `patience` is how long a statement waits for another writer, in seconds.
    Raises StoreUnavailable where it can't be used.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StoreUnavailable(
            f"this Python has SQLite {SQLITE}, and 3.37 is needed",
            "Use a newer Python",
        )
    path = Path(os.path.realpath(Path(place).expanduser()))
    make_file(path)
    database = SqliteDatabase(_engine(path, patience), path)
    try:
        _prepare(database)
    except BaseException:
        database.close()
        raise
    database.file = file_id(path)
    return database


def _prepare(database: SqliteDatabase) -> None:
    """Create or migrate, under the write lock; one cheap read where nothing is to be done."""
    version, journal = None, None
    try:
        with database.read() as connection:
            journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
            version, database.moved = migrations.stored_version(connection)
    except StoreBusy:
        raise
    except StoreUnavailable as error:
        if not isinstance(error.__cause__, exc.OperationalError):
            raise
    if version != migrations.latest():
        with database.write() as connection:
            migrations.migrate(connection)
    if journal != "wal":
        _use_wal(database)


def _use_wal(database: SqliteDatabase) -> None:
    """Turn on the write-ahead log, which then stays on. SQLite itself does not wait for others
    here."""
    for left in range(WAL_TRIES, -1, -1):
        raw = database.engine.raw_connection()
        try:
            cursor = raw.cursor()
            cursor.execute("PRAGMA journal_mode=WAL")
            mode = str(cursor.fetchall()[0][0])
        except sqlite3.Error as error:
            explained = explain_sqlite(error, database.name)
            if not isinstance(explained, StoreBusy) or not left:
                raise explained from error
            time.sleep(WAL_WAIT)  # SQLite's own wait for locks does not cover this one change
        else:
            break
        finally:
            raw.close()
    if mode != "wal":
        raise StoreUnavailable(
            f"{database.name} lies on a file system where SQLite's write-ahead log can't be used",
            "Name a file on a local disk with --db",
        )


def _engine(path: Path, patience: float) -> Engine:
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        poolclass=QueuePool,
        connect_args={"timeout": patience, "check_same_thread": False},
        hide_parameters=True,  # the texts of posts belong in no error message
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by _begin, not by the driver
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    if sys.platform == "darwin":
        connection.execute("PRAGMA fullfsync=1")  # fsync alone does not reach the disk there


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("postsched_write", False)
    direct.fetch(connection, "BEGIN IMMEDIATE" if write else "BEGIN")


BUSY = (
    "is locked by another process",
    "Another program has it open for writing; try again, or close that program",
)
SENTENCES = {
    "SQLITE_READONLY": ("is read-only", "Check the permissions of the file and its folder"),
    "SQLITE_CANTOPEN": ("can't be opened", "Check the path and the permissions"),
    "SQLITE_NOTADB": ("is no SQLite database", "Name another file with --db"),
    "SQLITE_CORRUPT": ("is damaged", "Restore it with: postsched restore FILE"),
    "SQLITE_IOERR": ("can't be read or written", "Check the disk"),
    "SQLITE_PERM": ("may not be used by you", "Check the permissions of the file"),
}


def explain_sqlite(error: sqlite3.Error, name: str) -> StoreUnavailable:
    """The same for an error of SQLite itself."""
    code = getattr(error, "sqlite_errorname", "") or ""
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreBusy(f"the database {name} {BUSY[0]}", BUSY[1])
    # Of the log's index SQLite says no more than that it failed.
    if code == "SQLITE_FULL" or (code.startswith("SQLITE_IOERR") and is_full(Path(name).parent)):
        return no_room(name)
    for prefix, (what, hint) in SENTENCES.items():
        if code.startswith(prefix):
            return StoreUnavailable(f"the database {name} {what}", hint)
    return StoreUnavailable(f"the database {name} failed: {error}", "Run: postsched doctor")
