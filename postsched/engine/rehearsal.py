"""What the first post would have to wait for, done before there is one: modules of the platforms
in use, TLS, and the statements of a turn, which are compiled at their first use."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

from sqlalchemy import Connection

from postsched import platforms
from postsched.domain.delivery import Claim, Delivery, DeliveryStatus
from postsched.domain.errors import NotFound, StoreUnavailable
from postsched.store import accounts as account_rows
from postsched.store import outlook, queue
from postsched.store.database import Database
from postsched.store.lanes import Lane
from postsched.transport import warm

NOBODY = -1
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


async def rehearse(database: Database) -> None:
    """Do it; a database in trouble is left to the first turn, which knows how to wait."""
    await warm()
    with contextlib.suppress(StoreUnavailable):
        with database.read() as connection:
            names = {account.platform for account in account_rows.every(connection)}
        for name in names:
            with contextlib.suppress(NotFound):
                platforms.get(name)
        with database.write() as connection:
            _turn_of_nothing(connection)


def _turn_of_nothing(connection: Connection) -> None:
    """Every statement of a turn, on a row that does not exist."""
    held = Claim("", NOBODY, LONG_AGO, LONG_AGO)
    lane = Lane(NOBODY, "", 0, LONG_AGO)
    outlook.look(connection, NOBODY)
    queue.claim(connection, lane, 1, LONG_AGO, LONG_AGO, held)
    queue.load(connection, [NOBODY])
    nothing = Delivery(
        NOBODY, NOBODY, NOBODY, "", "", LONG_AGO, LONG_AGO, None, DeliveryStatus.SCHEDULED
    )
    queue.save_steps(connection, nothing, "")
    queue.settle(connection, nothing, "", LONG_AGO)
