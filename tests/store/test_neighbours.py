"""What else an account has posted around a post that is in doubt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from postsched.domain.account import Account
from postsched.domain.delivery import Attempt
from postsched.domain.outcome import Published
from postsched.store import deliveries as delivery_rows
from postsched.store import posts as post_rows
from postsched.store.database import Database
from postsched.store.neighbours import Neighbours, neighbours
from postsched.store.tables import deliveries
from tests.store import rows
from tests.store.rows import opened

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = opened(tmp_path)
    yield found
    found.close()


def out(connection: Connection, to: Account, text: str, remote_id: str, at: datetime = NOW) -> int:
    """A post that went out then; its delivery."""
    (made,) = rows.post(connection, text, [to], at)
    found = delivery_rows.get(connection, made)
    assert found
    post = post_rows.get(connection, [found.post_id])[found.post_id]
    laid = delivery_rows.with_steps(found, post)
    step = replace(laid.steps[0], published=Published(remote_id))
    values = delivery_rows.values_of(replace(laid, steps=(step,), started_at=at))
    connection.execute(deliveries.update().where(deliveries.c.id == made).values(**values))
    return made


def delete(connection: Connection, delivery: int, at: datetime, outcome: str = "removed") -> None:
    attempt = Attempt(1, at, at, "delete", "part 1", outcome)
    delivery_rows.add_attempt(connection, delivery, attempt)


def around(connection: Connection, to: Account, text: str) -> Neighbours:
    """The neighbours of a new post."""
    (made,) = rows.post(connection, text, [to], NOW)
    delivery = delivery_rows.get(connection, made)
    assert delivery
    post = post_rows.get(connection, [delivery.post_id])[delivery.post_id]
    return neighbours(connection, delivery, post, to, NOW)


def test_others_are_those_of_the_account_since_a_day(database: Database) -> None:
    with database.write() as connection:
        me, other = rows.account(connection, "me"), rows.account(connection, "other")
        out(connection, me, "now", "one", NOW)
        out(connection, me, "just before", "two", NOW - timedelta(hours=23))
        out(connection, me, "long ago", "three", NOW - timedelta(hours=25))
        out(connection, other, "elsewhere", "four", NOW)
        found = around(connection, me, "new")
    assert found == Neighbours(frozenset({"one", "two"}))


def test_an_equal_post_that_was_deleted_lately(database: Database) -> None:
    with database.write() as connection:
        me, other = rows.account(connection, "me"), rows.account(connection, "other")
        gone = out(connection, me, "again", "one", NOW - timedelta(days=9))
        assert not around(connection, me, "again").removed
        delete(connection, gone, NOW - timedelta(days=3))
        assert not around(connection, me, "again").removed
        delete(connection, gone, NOW - timedelta(days=1), "failed")
        assert not around(connection, me, "again").removed
        delete(connection, gone, NOW - timedelta(days=1))
        assert around(connection, me, "again").removed
        assert not around(connection, me, "something else").removed
        assert not around(connection, other, "again").removed
