"""Every statement of the engine goes by index, however much there is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from postsched.domain import moves
from postsched.domain.capabilities import FOREVER, Guarantee
from postsched.store import chains, graces, lanes, outlook, queue
from postsched.store.columns import micros
from postsched.store.database import Database
from tests.store import rows
from tests.store.rows import NOON, SOON, claim_of, opened, prepare

SURE = Guarantee(FOREVER)
LARGE = ("deliveries", "d", "posts", "targets", "attempts")
"""Tables, and names of them in statements, that have a row for each post."""


@pytest.mark.sqlite
def test_every_statement_of_the_engine_goes_by_index(tmp_path: Path) -> None:
    """With 100,000 rows none of them may be gone through one by one."""
    database = opened(tmp_path)
    _many(database, 100_000)
    seen: list[tuple[str, Any]] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda connection, cursor, statement, parameters, context, many: seen.append(
            (statement, parameters)
        ),
    )
    with database.write() as connection:
        held = claim_of(at=NOON - timedelta(days=1))
        outlook.look(connection, 1, {(1, "t")})
        (lane, *_) = lanes.waiting_lanes(connection)
        taken, _ = queue.claim(connection, lane, 10, SOON, NOON, held)
        prepare(connection, 10)
        (work, *_) = queue.load(connection, taken)
        queue.save_steps(connection, work.delivery, "t1")
        queue.settle(connection, moves.let_go(work.delivery), "t1", NOON)
        queue.give_back(connection, work.delivery, "t1", None)
        queue.renew(connection, {(one, "t1") for one in taken}, SOON)
        queue.expire(connection, NOON, [7], lambda account: SURE)
        outlook.held_by_login(connection, NOON)
        outlook.count_waiting(connection, [1], NOON)
        outlook.holds_any(connection, 1)
        assert chains.leaderless(connection) == []
        assert len(graces.miss(connection, NOON + timedelta(days=2), 7)) == 7
    plans = _plans(database, seen)
    database.close()
    assert len(plans) > 12
    used, names = set(), {"queue", "preparing", "graces", "claims"}
    for statement, plan in plans:
        for line in plan:
            scans = line.startswith(tuple(f"SCAN {name} " for name in LARGE))
            assert not scans or "INDEX claims" in line, (statement, line)
            used |= {name for name in names if f"INDEX {name}" in line}
    assert used == names


ZERO = dict.fromkeys(("paused", "attempts", "revision", "asked", "not_there"), 0)
MANY: dict[str, dict[str, Any]] = {
    "posts": {
        "uid": "'p' || n", "text": "'x'", "missed": "'ask'", "grace": 0, "catch_up": "'newest'",
        "priority": 0, "draft": 0, "paused": 0, "created_at": 0, "updated_at": 0,
    },
    "deliveries": {
        **ZERO, "post_id": "n", "account_id": ":account", "occurrence": ":first + n",
        "due_at": ":first + n", "next_at": ":first + n", "grace_until": ":first + 86400000000 + n",
        "prepare_at": ":first + n - 600000000", "status": "'scheduled'", "priority": "n % 3",
    },
}  # fmt: skip
"""The columns of row n of many."""


def _many(database: Database, count: int) -> None:
    with database.write() as connection:
        me = rows.account(connection)
        for table, values in MANY.items():
            statement = (
                "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers"
                f" WHERE n < {count}) INSERT INTO {table} ({', '.join(values)})"
                f" SELECT {', '.join(map(str, values.values()))} FROM numbers"
            )
            raw: Any = connection.connection
            raw.execute(statement, {"account": me.id, "first": micros(NOON)})


def _plans(database: Database, seen: list[tuple[str, Any]]) -> list[tuple[str, list[str]]]:
    plans = []
    with database.read() as connection:
        raw: Any = connection.connection
        for statement, parameters in seen:
            if statement.split()[0] in ("SELECT", "UPDATE", "WITH", "DELETE"):
                found = raw.execute("EXPLAIN QUERY PLAN " + statement, parameters).fetchall()
                plans.append((statement, [row[-1] for row in found]))
    return plans
