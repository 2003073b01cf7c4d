"""Whole SQLite files: a consistent copy of one in use, another's content put in its place, and
whether a file is sound.

Both ways go through SQLite's online backup, which is one transaction: whoever reads or writes
meanwhile, and however the process ends, a file has all of the old content or all of the new. (To
rename a file over one in use is not safe: its write-ahead log would be applied to the new one.)
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, delete, exists, func, select

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.errors import NotAllowed, StoreBusy, StoreUnavailable
from postsched.store.sqlite import explain_sqlite
from postsched.store.tables import deliveries, media, posts, workers

PATIENCE = 5.0
"""Seconds to wait for others that write to the same file."""
STALLS = 20
"""How often an online backup may find its file locked, a quarter of a second apart."""
FAULTS = 5
"""How many faults of a damaged file are told."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a database holds."""

    schema: int
    accounts: int
    posts: int


def copy(source: Path, target: Path) -> None:
    """Copy a database that may be in use to a new file, readable by its owner only.

    Raises OSError where the new file can't be made, NotAllowed where it finds no room,
    StoreUnavailable where the database can't be read.
    """
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with _explained(source):
            _pour(source, target)
    except StoreUnavailable as error:
        target.unlink(missing_ok=True)
        if _code(error).startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            raise NotAllowed(
                f"there is no room for a copy of {source} in {target.parent}", "Free some space"
            ) from error
        raise


def put_content(source: Path, target: Path) -> None:
    """Give a database the content of another in one transaction. Raises StoreUnavailable; then
    nothing was changed."""
    with _explained(target):
        _pour(source, target)


def _pour(source: Path, target: Path) -> None:
    stalls = 0

    def watch(status: int, _remaining: int, _total: int) -> None:
        nonlocal stalls
        stalls += status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        if stalls > STALLS:
            raise StoreBusy(f"the database {target} is locked by another process", "Try again")

    with closing(_connect(source)) as old, closing(_connect(target)) as new:
        new.execute("PRAGMA synchronous=FULL")
        old.backup(new, progress=watch)


def is_damage(error: StoreUnavailable) -> bool:
    """Whether it says that a file is no sound database."""
    return _code(error).startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT"))


def _code(error: StoreUnavailable) -> str:
    return getattr(error.__cause__, "sqlite_errorname", "") or ""


def faults(path: Path) -> list[str]:
    """What is wrong with a database file, none if it is sound: of its pages and indexes first, of
    references between rows after it."""
    with _explained(path), closing(_connect(path)) as connection:
        found = [row[0] for row in connection.execute(f"PRAGMA integrity_check({FAULTS})")]
        if found != ["ok"]:
            return [" ".join(fault.split()) for fault in found]
        orphans = connection.execute("PRAGMA foreign_key_check").fetchmany(FAULTS)
        return [f"row {row[1]} of {row[0]} names no row of {row[2]}" for row in orphans]


def summary(path: Path) -> Summary | None:
    """What a database of ours holds, None where it can't be told or is another program's."""
    query = (
        "SELECT (SELECT value FROM meta WHERE name = 'schema'), "
        "(SELECT count(*) FROM accounts), (SELECT count(*) FROM posts)"
    )
    try:
        with _explained(path), closing(_connect(path)) as connection:
            schema, accounts, posts = connection.execute(query).fetchone()
            return Summary(int(schema), accounts, posts)
    except (StoreUnavailable, TypeError, ValueError):
        return None


def is_foreign(path: Path) -> bool:
    """Whether it surely is another program's database."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table'"
    try:
        with _explained(path), closing(_connect(path)) as connection:
            tables = {row[0] for row in connection.execute(query)}
    except StoreUnavailable:
        return False
    return bool(tables) and not {"meta", "posts"} <= tables


def digests(connection: Connection) -> list[str]:
    """The SHA-256 of each kept media file that a post names."""
    query = select(media.c.sha256).where(media.c.sha256.is_not(None)).distinct().order_by("sha256")
    return [digest for digest in connection.scalars(query) if digest]


def strike_idle_workers(connection: Connection) -> None:
    """Strike those off the list that hold nothing: in a copy, none of them lives."""
    holds = exists().where(
        deliveries.c.claim_worker == workers.c.id, deliveries.c.claim.is_not(None)
    )
    connection.execute(delete(workers).where(~holds))


def last_instant(connection: Connection) -> datetime | None:
    """When something was last written that carries a time (UTC)."""
    found = (
        connection.scalar(select(func.max(posts.c.updated_at))),
        connection.scalar(select(func.max(deliveries.c.finished_at))),
        connection.scalar(select(func.max(deliveries.c.started_at))),
    )
    return max((instant for instant in found if instant is not None), default=None)


def overdue(connection: Connection, now: datetime) -> tuple[int, int]:
    """How many deliveries are due and wait, and how many of them are past their grace."""
    row = deliveries.c
    waiting = [DeliveryStatus.SCHEDULED.value, DeliveryStatus.RETRYING.value]
    due = select(func.count()).where(row.status.in_(waiting), row.due_at <= now)
    late = due.where(row.grace_until < now)
    return connection.scalar(due) or 0, connection.scalar(late) or 0


def _connect(path: Path) -> sqlite3.Connection:
    # By URI, for a plain path would make a file where there is none.
    where = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(where, uri=True, timeout=PATIENCE, isolation_level=None)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise explain_sqlite(error, str(path)) from error
