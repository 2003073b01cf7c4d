"""Lists are read by index: what does not fit costs nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from postsched.store import reading
from postsched.store.reading import Filter
from tests.store import rows

MANY = 300


def steps(connection: Connection, status: str) -> int:
    """How much SQLite does to find the posts of a status."""
    count = [0]
    driver = connection.connection.dbapi_connection
    assert driver is not None
    driver.set_progress_handler(lambda: count.__setitem__(0, count[0] + 1), 1)
    try:
        assert reading.find_posts(connection, Filter(status=(status,)), 50) == []
    finally:
        driver.set_progress_handler(None, 0)
    return count[0]


@pytest.mark.sqlite
@pytest.mark.parametrize("status", ["failed", "published", "partial", "draft"])
def test_what_waits_is_not_gone_through_for_what_is_over(tmp_path: Path, status: str) -> None:
    database = rows.opened(tmp_path)
    with database.write() as connection:
        to = rows.account(connection)
        for n in range(MANY):
            rows.post(connection, f"post {n}", [to], rows.NOON + timedelta(hours=n + 1))
    with database.read() as connection:
        assert steps(connection, status) < 2 * MANY
    database.close()
