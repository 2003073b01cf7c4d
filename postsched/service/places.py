"""The places of a copy: the database that is there, and the one that comes to life as a whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from postsched.disk import flush_folder
from postsched.domain.errors import InvalidInput, StoreInDoubt, StoreUnavailable
from postsched.service import archive, workplace
from postsched.store import moved
from postsched.store.database import Database
from postsched.store.naming import plain
from postsched.store.opening import is_made, open_database

if TYPE_CHECKING:
    from postsched.config import Settings


class Target:
    """The database that is to be filled: itself, if it is there and empty; a new file under another
    name at first, and at `place` when it is complete."""

    def __init__(self, database: Database, place: Path | None = None) -> None:
        self.database = database
        self.place = place
        self.name = str(place) if place else database.name
        self.token = self._token()

    def _token(self) -> str | None:
        with self.database.read() as connection:
            return moved.arrived(connection)

    def in_use(self) -> InvalidInput:
        """The refusal to write over what is there."""
        return InvalidInput(
            f"{self.name} is in use already: it has accounts or posts", "Name a new or empty one"
        )

    def appear(self) -> None:
        """Have it under its name, once it is committed. Raises StoreUnavailable."""
        if self.place is None:
            return
        self.database.close()
        assert self.database.path is not None
        try:
            with self.database.path.open("rb") as file:
                os.fsync(file.fileno())
            archive.give_name(self.database.path, self.place, replace=False)
            flush_folder(self.place.parent)
        except FileExistsError as error:
            raise self.in_use() from error
        except OSError as error:
            raise StoreUnavailable(f"{self.place} can't be made: {error.strerror}") from error

    def is_surely_not_there(self, token: str, error: BaseException) -> bool:
        """Whether nothing that came by that move can come to life any more, after that error."""
        if self.place is not None:
            own = self.database.path  # gone if it was renamed, the same if it was linked
            assert own is not None
            return not self.place.exists() or (own.exists() and not own.samefile(self.place))
        if self.database.path is not None:
            return self._token() != token
        return isinstance(error, StoreUnavailable) and not isinstance(error, StoreInDoubt)


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """A database that is there, which may have moved. Raises StoreUnavailable."""
    if not is_made(settings.database):
        raise StoreUnavailable(
            f"there is no database {plain(settings.database)}", "Look at its name"
        )
    database = open_database(settings.database)
    try:
        database.may_be_moved = True
        yield database
    finally:
        database.close()


@contextmanager
def arriving(settings: Settings) -> Iterator[Target]:
    place = settings.database_path
    if place is None or is_made(settings.database):
        database = open_database(settings.database)
        try:
            yield Target(database)
        finally:
            database.close()
        return
    try:
        with workplace.beside(place) as folder:
            database = open_database(str(folder / archive.DATABASE))
            try:
                yield Target(database, place)
            finally:
                database.close()
    except OSError as error:
        raise StoreUnavailable(
            f"{place} can't be made: {error.strerror}", "Name another place"
        ) from error
