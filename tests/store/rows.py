"""Rows for tests: an open database, accounts and posts in it, written directly."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from postsched.domain.account import Account, AccountState
from postsched.domain.delivery import Claim, Delivery
from postsched.domain.post import Content, Missed, Part, Post
from postsched.domain.schedule import once
from postsched.store import accounts as account_rows
from postsched.store import deliveries as delivery_rows
from postsched.store import posts as post_rows
from postsched.store import queue
from postsched.store.database import Database, open_database
from postsched.store.queue import Lane, Planned

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def opened(folder: Path, patience: float = 5.0) -> Database:
    """A database file in that folder, made where there is none."""
    return open_database(str(folder / "posts.db"), patience)


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
    then: Sequence[str] = (),
    comment: str | None = None,
    grace: timedelta | None = timedelta(hours=24),
    priority: int = 0,
    prepare_at: datetime | None = None,
    missed: Missed = Missed.ASK,
) -> list[int]:
    """A new post with a delivery to each account; the deliveries' ids."""
    content = Content(text, then=tuple(Part(one) for one in then), comment=comment)
    new = Post(
        0, secrets.token_hex(16), content, (), due, due, missed=missed, priority=priority
    )  # fmt: skip
    post_id = post_rows.insert(connection, new, [one.id for one in to], once(due, "UTC"), "")
    grace_until = None if grace is None else due + grace
    queue.plan(
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
        rows = connection.execute(delivery_rows.selected().order_by("id")).all()
    return [delivery_rows.delivery_of(row) for row in rows]


def claim_of(token: str = "t1", worker: int = 1, at: datetime = NOON, **more: Any) -> Claim:
    """A claim for two minutes."""
    return Claim(token, worker, at, at + timedelta(minutes=2), **more)


def the_lane(connection: Connection) -> Lane:
    """The only lane."""
    (lane,) = queue.lanes(connection)
    return lane
