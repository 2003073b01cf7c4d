"""Being told by PostgreSQL that something changed (LISTEN)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from postsched.domain.errors import StoreUnavailable
from postsched.store.postgres import ALIVE, CHANNEL, address

if TYPE_CHECKING:
    import psycopg

log = logging.getLogger("postsched.database")


class Listener:
    """A connection of its own that only listens. To be read when `fileno` has something."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._connection: psycopg.Connection | None = None

    def connect(self) -> None:
        """Listen from now on. Raises StoreUnavailable."""
        import psycopg

        self.close()
        url = address(self._place).set(drivername="postgresql")
        alive: dict[str, Any] = {n: value for n, value in ALIVE.items() if n not in url.query}
        try:
            connection = psycopg.connect(
                url.render_as_string(hide_password=False), autocommit=True, **alive
            )
            connection.execute(f"LISTEN {CHANNEL}")
        except psycopg.Error as error:
            said = " ".join(str(error).split())
            raise StoreUnavailable(f"the database server can't be listened to: {said}") from error
        self._connection = connection

    def fileno(self) -> int:
        """What to wait for."""
        assert self._connection is not None
        return self._connection.fileno()

    def heard(self) -> bool:
        """Whether anything was told since the last time. Raises StoreUnavailable once the
        connection is lost."""
        import psycopg

        assert self._connection is not None
        wire, told = self._connection.pgconn, False
        try:
            wire.consume_input()
            while wire.notifies() is not None:
                told = True
        except psycopg.Error as error:
            raise StoreUnavailable("the database server is not heard any more") from error
        return told

    def close(self) -> None:
        """Listen no more."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
