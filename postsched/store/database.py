"""Opening a database, and its transactions.

`sqlite` and `postgres` hold what is particular to each engine. What is the same: a transaction
that writes is alone, or, where it is a worker's turn on a database server, alone but for the turns
of other workers; one that only reads sees one state of the database.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, exc

from postsched.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from postsched.store.moved import Moved
    from postsched.store.outbox import Outlet

PATIENCE = 20.0
"""Seconds a command waits for another writer; the daemon waits less and tries again."""


class Database(ABC):
    """One database. `read()`, `write()` and `turn()` give a connection inside a transaction that
    is committed at the end of the block, or rolled back by an exception.

    Raises StoreUnavailable, or its child StoreBusy when another process holds the lock.
    """

    path: Path | None = None
    """The file, None for a database server."""
    offset = timedelta()
    """What to add to this machine's clock to have the database server's."""
    moved: Moved | None = None
    """Where it had moved to when it was opened, None if it was where it is."""
    may_be_moved = False
    """Whether to write although it has moved: only to undo that."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.outlet: Outlet | None = None
        """Where writers leave what is to be told, None for nowhere."""

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write, while nobody else does."""
        with self._transaction(write=True) as connection:
            yield connection

    def turn(self, worker: int) -> AbstractContextManager[Connection]:
        """A transaction of a worker, by its id: it may write to what it claims. On a database
        server others may take their turn meanwhile."""
        return self.write()

    def age_of(self, worker: int) -> str:
        """The name of the age (`store.age`) that the turns of a worker raise, one at a time."""
        return "age"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads, and blocks nobody."""
        with self._transaction(write=False) as connection:
            yield connection

    @contextmanager
    def _transaction(self, *, write: bool, turn: int | None = None) -> Iterator[Connection]:
        self._check()
        leaving = self.outlet.begin() if self.outlet else None
        committing = False
        try:
            with self.engine.connect() as connection:
                connection = connection.execution_options(
                    postsched_write=write, postsched_leaving=leaving, **self._options(write=write)
                )
                with self._guarded(connection), connection.begin():
                    if write:
                        self._begin_writing(connection, turn)
                    yield connection
                    if write:
                        self._end_writing(connection, turn)
                        committing = True
            if leaving is not None and leaving.left and self.outlet:
                self.outlet.ring()
        except exc.DBAPIError as error:
            raise self.explain(error, committing=committing) from error

    def _check(self) -> None:
        """Raise StoreUnavailable where it is not the one that was opened."""

    def _options(self, *, write: bool) -> dict[str, object]:
        """Execution options of a transaction."""
        return {}

    @contextmanager
    def _guarded(self, connection: Connection) -> Iterator[None]:
        """Around every transaction."""
        yield

    def _begin_writing(self, connection: Connection, turn: int | None) -> None:
        """Keep others from writing, but those whose turn is no matter to this one."""

    def _end_writing(self, connection: Connection, turn: int | None) -> None:
        """Right before the commit."""

    @abstractmethod
    def explain(self, error: exc.DBAPIError, *, committing: bool = False) -> StoreUnavailable:
        """The sentence for the user that an error of the database driver comes to, one while
        `committing` too."""

    @property
    def has_room(self) -> bool:
        """Whether there is room for more on its disk, as far as can be told from here."""
        return True

    @property
    def name(self) -> str:
        """What to call it in messages: the path, or the URL without its password."""
        return str(self.path) if self.path else self.engine.url.render_as_string()

    def cut(self) -> None:
        """Break connections that hang, from another thread: what waits for them fails."""

    def measure(self, now: Callable[[], datetime]) -> None:
        """Compare a clock with the database server's, so that `offset` tells the difference.
        Raises StoreUnavailable."""

    def checkpoint(self) -> None:
        """Tidy up while nothing else is to be done. Raises StoreUnavailable."""

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


BREAKS_RULES = (exc.DataError, exc.IntegrityError, exc.InterfaceError, exc.ProgrammingError)
"""The errors that mean that what was to be written can never be."""


def no_room(name: str) -> StoreUnavailable:
    """What is said where there is no room for more."""
    return StoreUnavailable(
        f"the database {name} can't grow: the disk is full",
        "Free some space; nothing was half-written",
    )
