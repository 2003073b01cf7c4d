"""A database whose driver fails when it is told to: at the nth statement, or at the nth commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event, exc

from tests.servers import postgres

ERRORS = {
    "busy": (sqlite3.OperationalError, "database is locked", "SQLITE_BUSY"),
    "disk": (sqlite3.OperationalError, "disk I/O error", "SQLITE_IOERR_WRITE"),
    "full": (sqlite3.OperationalError, "database or disk is full", "SQLITE_FULL"),
    "damaged": (sqlite3.DatabaseError, "database disk image is malformed", "SQLITE_CORRUPT"),
    "rules": (sqlite3.IntegrityError, "FOREIGN KEY constraint failed", "SQLITE_CONSTRAINT"),
    "misuse": (sqlite3.ProgrammingError, "cannot operate on a closed database", "SQLITE_MISUSE"),
}


STATES = {"busy": "55P03", "disk": "58030", "full": "53100", "damaged": "XX001", "rules": "23503"}
"""The same by PostgreSQL's SQLSTATE; one without is of a connection that is lost."""


def error_of(name: str) -> Exception:
    """The driver's error of that name."""
    kind, words, code = ERRORS[name]
    if postgres.is_used():
        import psycopg

        state = STATES.get(name)
        return (psycopg.errors.lookup(state) if state else psycopg.OperationalError)(words)
    error = kind(words)
    error.sqlite_errorname = code
    return error


class Faults:
    """Counts the calls of the driver from the moment it is armed, all of them or those of one
    statement (`only`), and lets those fail whose number is in `at`, from 1."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.at: frozenset[int] | range = frozenset()
        self.only: str | None = None
        self.name = "disk"
        self.after_commit = False
        """Whether a commit that fails has been carried out all the same."""
        self.armed = False
        self.calls: list[str] = []
        self.hit: list[str] = []

    def _count(self, what: str) -> bool:
        if not self.armed:
            return False
        self.calls.append(what)
        number = len(self.calls) if self.only is None else self.calls.count(self.only)
        if self.only not in (None, what) or number not in self.at:
            return False
        self.hit.append(what)
        return True

    def _statement(self, cursor: Any, statement: str, *rest: Any) -> None:
        if self._count(statement):
            raise error_of(self.name)

    def _no_parameters(self, cursor: Any, statement: str, context: Any) -> None:
        self._statement(cursor, statement)

    def _commit(self, connection: Any) -> None:
        if not self.after_commit and self._count("COMMIT"):
            raise exc.OperationalError("COMMIT", {}, error_of(self.name))

    @contextmanager
    def listening(self) -> Iterator[Faults]:
        """Be in the way of every call."""
        dialect: Any = self._engine.dialect
        do_commit = dialect.do_commit

        def commit_and_fail(connection: Any) -> None:
            do_commit(connection)
            if self.after_commit and self._count("COMMIT"):
                raise error_of(self.name)

        hooks: list[tuple[str, Callable[..., Any]]] = [
            ("do_execute", self._statement),
            ("do_executemany", self._statement),
            ("do_execute_no_params", self._no_parameters),
            ("commit", self._commit),
        ]
        for name, hook in hooks:
            event.listen(self._engine, name, hook)
        dialect.do_commit = commit_and_fail
        try:
            yield self
        finally:
            dialect.do_commit = do_commit
            for name, hook in hooks:
                event.remove(self._engine, name, hook)
