"""What is still to go out, what went out lately, and what may say the same: in order, by index."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from postsched.store import repeats, waiting
from postsched.store.database import Database
from postsched.store.tables import deliveries, posts
from postsched.store.waiting import Among
from tests.store import rows
from tests.store.rows import NOON, opened

SECOND = timedelta(seconds=1)
MANY = 1200


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Two accounts, and more of each status than is read at once."""
    found = opened(tmp_path)
    with found.write() as connection:
        for name in ("me", "you"):
            account = rows.account(connection, name)
            rows.post(connection, name, [account], NOON)
        connection.execute(deliveries.delete())
        for status in ("scheduled", "retrying", "published", "confirming"):
            connection.execute(
                deliveries.insert(),
                [_values(status, n) for n in range(MANY if status != "confirming" else 3)],
            )
    yield found
    found.close()


def _values(status: str, n: int) -> dict[str, Any]:
    """Three are due at each instant; one is of the other account and post."""
    at = NOON + (n // 3) * SECOND
    order = ("scheduled", "retrying", "published", "confirming").index(status)
    out = status == "published"
    return {
        "post_id": 2 if n == 7 else 1,
        "account_id": 2 if n == 7 else 1,
        "occurrence": NOON + (n * 10 + order) * SECOND / 1000,
        "due_at": at,
        "status": status,
        "started_at": at if status == "confirming" else None,
        "finished_at": at if out else None,
        "steps": [{"role": "part", "n": 1, "out": {"id": "1"}}] if out and n else None,
    }


def test_each_is_read_once_in_the_order_of_time(database: Database) -> None:
    with database.read() as connection:
        found = list(waiting.to_go_out(connection, Among()))
        assert found == sorted(found)
        assert len({one.delivery_id for one in found}) == len(found) == 2 * MANY
        assert waiting.count(connection, Among()) == (2 * MANY, 2)
        for among in (Among(accounts=[2]), Among(posts=[2])):
            assert len(list(waiting.to_go_out(connection, among))) == 2
            assert waiting.count(connection, among) == (2, 1)
        assert waiting.count(connection, Among([2], [1])) == (2 * MANY, 2)
        assert waiting.count(connection, Among(accounts=[])) == (0, 0)


def test_what_is_out_in_part_or_may_be(database: Database) -> None:
    with database.read() as connection:
        found = list(waiting.gone_out(connection, Among(), NOON))
        assert found == sorted(found)
        assert len(found) == MANY - 1 + 3, "one has nothing out"
        since = NOON + 100 * SECOND
        lately = list(waiting.gone_out(connection, Among(), since))
        assert len(lately) == MANY - 300
        assert lately[0].at == since


def test_drafts(database: Database) -> None:
    with database.write() as connection:
        one = connection.execute(posts.select().where(posts.c.id == 1)).one()._asdict()
        connection.execute(
            posts.insert(),
            [{**one, "id": n, "uid": str(n), "draft": int(n % 2)} for n in range(10, 1210)],
        )
        assert list(waiting.drafts(connection)) == list(range(11, 1210, 2))


def test_posts_that_may_be_equal(database: Database) -> None:
    with database.read() as connection:
        near = repeats.may_be_equal(connection, 2, "you", NOON, NOON + 2 * SECOND)
        assert [(one.due_at, one.post_id) for one in near] == [(NOON + 2 * SECOND, 2)] * 3
        assert repeats.may_be_equal(connection, 2, "you", NOON, NOON + SECOND) == []
        assert repeats.may_be_equal(connection, 2, "me", NOON, NOON + 2 * SECOND) == []
        assert len(repeats.may_be_equal(connection, 1, "me", NOON, NOON + 2 * SECOND)) == 27


@pytest.mark.sqlite
def test_every_query_goes_by_an_index(database: Database) -> None:
    """The end of a long queue costs no more than its beginning."""
    seen: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *rest: Any) -> None:
        whole = "deliveries.wording" in statement.split("FROM")[0]  # a few rows, by their ids
        if statement.startswith("SELECT deliveries.") and not whole:
            seen.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    with database.read() as connection:
        list(waiting.to_go_out(connection, Among()))
        list(waiting.gone_out(connection, Among(), NOON))
        repeats.may_be_equal(connection, 1, "me", NOON, NOON + SECOND)
    event.remove(database.engine, "before_cursor_execute", note)
    assert len(seen) > 10
    with database.read() as connection:
        raw: Any = connection.connection
        for statement, parameters in seen:
            plan = [row[-1] for row in raw.execute("EXPLAIN QUERY PLAN " + statement, parameters)]
            assert re.match(r"SEARCH deliveries USING INDEX (upcoming|finished) ", plan[0]), plan
            if "coalesce" not in statement and "JOIN" not in statement:
                assert len(plan) == 1, (statement, plan)
