"""Being told by PostgreSQL that something changed (LISTEN)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from postsched.domain.errors import StoreUnavailable
from postsched.store.postgres import ALIVE, CHANNEL, address

if TYPE_CHECKING:
    import psycopg

UNHEARD = "the database server is not heard any more"
"""What is said once the connection is lost."""


class Listener:
    """A connection of its own that only listens. To be read when `fileno` has something. Once it is
    `answered`, the server has heard what was asked last, and tells of all that comes after."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._connection: psycopg.Connection | None = None
        self._is_over = False
        self.answered = False

    def connect(self) -> None:
        """Connect, and ask. Raises StoreUnavailable."""
        import psycopg

        self._drop()
        url = address(self._place).set(drivername="postgresql")
        alive: dict[str, Any] = {n: value for n, value in ALIVE.items() if n not in url.query}
        try:
            connection = psycopg.connect(
                url.render_as_string(hide_password=False), autocommit=True, **alive
            )
        except psycopg.Error as error:
            said = " ".join(str(error).split())
            raise StoreUnavailable(f"the database server is not heard: {said}") from error
        self._connection = connection
        if self._is_over:
            self._drop()
            raise StoreUnavailable("the database server is not listened to any more")
        self.ask()

    def ask(self) -> None:
        """Ask to be told from now on, without waiting for the answer; asked again, only whether the
        server is still heard. Raises StoreUnavailable."""
        import psycopg

        assert self._connection is not None
        self.answered = False
        try:
            self._connection.pgconn.send_query(f"LISTEN {CHANNEL}".encode())
            self._connection.pgconn.flush()
        except psycopg.Error as error:
            raise StoreUnavailable(UNHEARD) from error

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
            while not wire.is_busy() and wire.get_result() is not None:
                self.answered = True
            while wire.notifies() is not None:
                told = True
        except psycopg.Error as error:
            raise StoreUnavailable(UNHEARD) from error
        return told

    def close(self) -> None:
        """Listen no more."""
        self._is_over = True
        self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
