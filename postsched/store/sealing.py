"""A database whose next write is sealed: something is looked at first and noted last, in the same
transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, exc

from postsched.domain.errors import StoreUnavailable
from postsched.store.database import Database


class Sealing(Database):
    """The same database for one use case. Around its first write, `before` may refuse it by an
    exception, and `after` adds to it; what either raises takes all of the write back."""

    def __init__(
        self,
        database: Database,
        before: Callable[[Connection], None],
        after: Callable[[Connection], None],
    ) -> None:
        super().__init__(database.engine)
        self.path, self.offset, self.outlet = database.path, database.offset, database.outlet
        self._database, self._before, self._after = database, before, after
        self.sealed = False

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """As it is."""
        with self._database.read() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write; the first one is sealed."""
        with self._database.write() as connection:
            first = not self.sealed
            if first:
                self._before(connection)
            yield connection
            if first:
                self._after(connection)
        self.sealed = True

    def explain(self, error: exc.DBAPIError, *, committing: bool = False) -> StoreUnavailable:
        """What an error of the driver comes to, as the database itself says it."""
        return self._database.explain(error, committing=committing)

    @property
    def has_room(self) -> bool:
        """Whether there is room for more on its disk."""
        return self._database.has_room
