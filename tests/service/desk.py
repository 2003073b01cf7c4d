"""A desk with outbox accounts, and a worker that sends what is due without any network."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from postsched.config import Settings
from postsched.domain import moves
from postsched.domain.account import Account, AccountState
from postsched.domain.delivery import Claim, Delivery
from postsched.domain.outcome import ErrorKind, Problem, Published
from postsched.service.desk import Desk
from postsched.store import accounts, lanes, queue
from postsched.store.opening import open_database
from postsched.testing import FakeClock
from tests.servers import postgres

REFUSED = Problem(ErrorKind.PERMANENT, "no")
NAMES = ("me", "work")


@contextmanager
def desk_at(folder: Path, clock: FakeClock) -> Iterator[Desk]:
    """A desk whose database is in a folder, with the accounts of NAMES."""
    place = postgres.place(folder / "posts.db")
    database = open_database(place)
    try:
        with database.write() as connection:
            for name in NAMES:
                accounts.insert(
                    connection,
                    Account(0, secrets.token_hex(16), name, "outbox", clock.now(),
                            settings={"dir": str(folder / name)}, state=AccountState.OK),
                )  # fmt: skip
        yield Desk(
            database,
            Settings(place, media_dir=folder / "media", state_dir=folder / "state"),
            clock.now,
            ZoneInfo("UTC"),
        )
    finally:
        database.close()


def claim(desk: Desk) -> list[Delivery]:
    """Take up everything that is due, as a worker does; what is past its grace is missed."""
    now = desk.now()
    held = Claim(secrets.token_hex(8), 1, now, now + timedelta(minutes=2))
    with desk.database.write() as connection:
        taken = [
            delivery
            for lane in lanes.waiting_lanes(connection)
            for delivery in queue.claim(connection, lane, 100, now, now, held)[0]
        ]
        return [work.delivery for work in queue.load(connection, taken)]


def publish(desk: Desk, delivery: Delivery, parts: int | None = None) -> Delivery:
    """All of a delivery is out, or so many parts of it, and then it is refused."""
    assert delivery.claim
    token, count = delivery.claim.token, len(delivery.steps) if parts is None else parts
    for number in range(min(count, len(delivery.steps))):
        out = Published(f"id-{number}", f"https://example.org/{number}")
        delivery = moves.step_out(delivery, out, desk.now())
    if delivery.next_step is not None:
        delivery = moves.refuse(delivery, REFUSED)
    with desk.database.write() as connection:
        assert queue.settle(connection, delivery, token, desk.now())
    return delivery
