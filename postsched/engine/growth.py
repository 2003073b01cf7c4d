"""The database gets older with every turn that writes, and its mark outside of it rises along."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from postsched.domain.errors import StoreUnavailable
from postsched.recognition import Tide
from postsched.store import age as ages
from postsched.store.database import Database


class Growth:
    """The age of one database that a worker's turns raise, as this process has last seen it."""

    def __init__(self, database: Database, tide: Tide, worker: int) -> None:
        self._database = database
        self._tide = tide
        self._name = database.age_of(worker)
        self._age = 0
        self._total = 0

    def grow(self, connection: Connection) -> int:
        """Make the database older by this transaction; its age then. Raises StoreUnavailable if it
        is not the one that was written last: nothing may be sent from it, nor written to it."""
        age = ages.grow(connection, self._tide.uid, self._name)
        if age <= self._age:
            raise StoreUnavailable(
                f"the database {self._database.name} was put back to an earlier state, or "
                "exchanged for another one, while it was in use",
                "Stop postsched, make sure that the right one is there, and start it again",
            )
        return age

    def is_alone(self, connection: Connection) -> bool:
        """Whether nobody but this process has written a turn since it last asked."""
        before, self._total = self._total, ages.total(connection)
        return self._total == before

    def note(self, age: int | None, upto: datetime) -> None:
        """It is committed, and may be sent next: what is due until that instant (UTC). None where
        nothing was written."""
        if age is not None:
            self._tide.rise(age, upto, self._name)
            self._age = age
            self._total += 1

    def end(self) -> None:
        """No more is written."""
        self._tide.close()
