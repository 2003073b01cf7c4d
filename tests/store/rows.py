"""Rows for tests: an open database, accounts and posts in it, written directly."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, event

from postsched.domain.account import Account, AccountState
from postsched.domain.delivery import Claim, Delivery
from postsched.domain.post import Content, Media, Missed, Part, Post
from postsched.domain.schedule import once
from postsched.store import accounts as account_rows
from postsched.store import deliveries as delivery_rows
from postsched.store import lanes, outlook, plans, queue
from postsched.store import posts as post_rows
from postsched.store.database import Database
from postsched.store.lanes import Lane
from postsched.store.opening import open_database
from postsched.store.plans import Planned
from postsched.store.tables import deliveries
from tests.servers import postgres

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
SOON = NOON + timedelta(minutes=10)


def opened(folder: Path, patience: float = 5.0) -> Database:
    """A database file in that folder, made where there is none. It outlives its process, but no
    power cut: waiting for the disk is most of what tests would do."""
    path = folder / "posts.db"
    if postgres.is_used():
        return open_database(postgres.place(path), patience)
    if not path.exists():
        path.touch(0o600)
        path.write_bytes(_empty())
    database = open_database(str(path), patience)
    database.engine.dispose()
    event.listen(database.engine, "connect", _hurry)
    return database


@cache
def _empty() -> bytes:
    """A new database, made once."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "posts.db"
        open_database(str(path)).close()
        return path.read_bytes()


def _hurry(connection: sqlite3.Connection, record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def account(connection: Connection, name: str = "me", platform: str = "fake") -> Account:
    """A new account."""
    uid = secrets.token_hex(16)
    new = Account(0, uid, name, platform, NOON, state=AccountState.OK)
    return account_rows.insert(connection, new)


def post(
    connection: Connection,
    text: str,
    to: Sequence[Account],
    due: datetime,
    *,
    media: Sequence[Media] = (),
    then: Sequence[str] = (),
    comment: str | None = None,
    grace: timedelta | None = timedelta(hours=24),
    priority: int = 0,
    prepare_at: datetime | None = None,
    missed: Missed = Missed.ASK,
    callback: str | None = None,
) -> list[int]:
    """A new post with a delivery to each account; the deliveries' ids."""
    content = Content(text, tuple(media), then=tuple(Part(one) for one in then), comment=comment)
    new = Post(
        0, secrets.token_hex(16), content, (), due, due, missed=missed, priority=priority,
        callback=callback,
    )  # fmt: skip
    post_id = post_rows.insert(connection, new, [one.id for one in to], once(due, "UTC"), "")
    grace_until = None if grace is None else due + grace
    plans.plan(
        connection,
        [Planned(post_id, one.id, due, grace_until, priority, prepare_at=prepare_at) for one in to],
    )
    return [found.id for found in delivery_rows.of_posts(connection, [post_id])[post_id]]


def read(database: Database, delivery_id: int) -> Delivery:
    """A delivery as it stands in the database."""
    with database.read() as connection:
        found = delivery_rows.get(connection, delivery_id)
    assert found is not None
    return found


def every(database: Database) -> list[Delivery]:
    """All deliveries, by id."""
    with database.read() as connection:
        rows = connection.execute(delivery_rows.selected().order_by(deliveries.c.id)).all()
    return [delivery_rows.delivery_of(row) for row in rows]


def claim_of(token: str = "t1", worker: int = 1, at: datetime = NOON, **more: Any) -> Claim:
    """A claim for two minutes."""
    return Claim(token, worker, at, at + timedelta(minutes=2), **more)


def the_lane(connection: Connection) -> Lane:
    """The only lane."""
    (lane,) = lanes.waiting_lanes(connection)
    return lane


def planned(database: Database, count: int = 1, **more: Any) -> list[int]:
    """So many posts to one new account, a second apart."""
    with database.write() as connection:
        me = account(connection)
        return [
            post(connection, f"post {n}", [me], NOON + timedelta(seconds=n), **more)[0]
            for n in range(count)
        ]


def take(
    connection: Connection, limit: int = 10, upto: datetime = SOON, **claim: Any
) -> tuple[list[int], list[int]]:
    """Claim from the only lane, at noon."""
    return queue.claim(connection, the_lane(connection), limit, upto, NOON, claim_of(**claim))


def prepare(connection: Connection, limit: int = 1) -> list[int]:
    """Claim what is to be prepared at noon, for whatever account."""
    account_ids = [one.account_id for one in outlook.look(connection, 1).unprepared]
    return queue.claim_to_prepare(connection, account_ids, limit, NOON, claim_of())
