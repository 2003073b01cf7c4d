"""Several processes on one database: nothing is claimed twice, nothing is left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from postsched.domain.delivery import DeliveryStatus
from tests.servers import postgres
from tests.store import rows
from tests.store.rows import NOON, every, opened

HERE = Path(__file__).parents[2]
POSTS, PROCESSES = 200, 4


@pytest.mark.slow
def test_nothing_is_claimed_twice(tmp_path: Path) -> None:
    database, place = opened(tmp_path), postgres.place(tmp_path / "posts.db")
    with database.write() as connection:
        known = [rows.account(connection, f"a{n}") for n in range(3)]
        for number in range(POSTS):
            rows.post(
                connection, "x", [known[number % 3]], NOON - timedelta(seconds=number),
                priority=number % 2,
            )  # fmt: skip
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.store.claiming", place, str(n)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=HERE,
        )
        for n in range(1, PROCESSES + 1)
    ]
    for process in started:  # none begins before all are there
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [json.loads(process.communicate(timeout=60)[0]) for process in started]
    assert [refused for _, refused in answers] == [0] * PROCESSES
    got = Counter(delivery for ids, _ in answers for delivery in ids)
    assert set(got.values()) == {1}
    assert len(got) == POSTS
    after = every(database)
    assert {found.status for found in after} == {DeliveryStatus.PUBLISHED}
    assert {found.attempts for found in after} == {1}
    assert not any(found.claim for found in after)
    by_worker = {n: set(ids) for n, (ids, _) in enumerate(answers, start=1)}
    for found in after:
        assert found.id in by_worker[int(found.remote_id or 0)]
    assert sum(bool(ids) for ids, _ in answers) > 1, "one process did it all: nothing was tested"
    database.close()


READ = """
import sys
from postsched.store import accounts
from postsched.store.opening import open_database
database = open_database(sys.argv[1])
with database.read() as connection:
    print(*(account.name for account in accounts.every(connection)))
database.close()
"""


@pytest.mark.sqlite
def test_opening_it_once_more_takes_no_lock_away(tmp_path: Path) -> None:
    """Else a process that closes it removes the log that this one goes on writing to."""

    def seen_by_another() -> list[str]:
        command = [sys.executable, "-c", READ, str(tmp_path / "posts.db")]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=HERE)
        return sorted(done.stdout.split())

    first = opened(tmp_path)
    with first.write() as connection:
        rows.account(connection, "one")
    second = opened(tmp_path)
    assert seen_by_another() == ["one"]
    with first.write() as connection:
        rows.account(connection, "two")
    assert seen_by_another() == ["one", "two"]
    with second.write() as connection:
        rows.account(connection, "three")
    assert seen_by_another() == ["one", "three", "two"]
