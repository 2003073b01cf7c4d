"""kill -9 while posts leave: nothing is lost, and what is archived twice can be told by its uid."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from postsched.retention.sweep import TOGETHER
from tests.servers import postgres
from tests.store import rows
from tests.store.rows import NOON, opened

HERE = Path(__file__).parents[2]
STEPS = 4
NOW = NOON + timedelta(days=500)


def steps(place: str, archive: Path, count: int, *, last: bool) -> None:
    """Let a process make so many steps; it is killed once the next is archived, and, if it is the
    `last`, not removed."""
    victim = [sys.executable, "-m", "tests.retention.victim"]
    command = [*victim, place, NOW.isoformat(), str(archive)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for number in range(2 * count + last):
            process.stdin.write("go\n")
            process.stdin.flush()
            assert process.stdout.readline() == ("left\n" if number % 2 else "archived\n")
        process.kill()


@pytest.mark.slow
def test_between_the_archive_and_the_database(tmp_path: Path) -> None:
    database, count = opened(tmp_path), STEPS * TOGETHER
    with database.write() as connection:
        me = rows.account(connection)
        for number in range(count):
            rows.post(connection, f"post {number}", [me], NOON + timedelta(seconds=number))
        rows.post(connection, "last", [me], NOW + timedelta(days=1))
        connection.execute(
            text("UPDATE deliveries SET status = 'published', next_at = NULL, "
                 "finished_at = due_at WHERE id <= :count"), {"count": count},
        )  # fmt: skip
        found = connection.execute(text("SELECT uid, id FROM posts"))
        known = {one.uid: one.id for one in found}
    place, archive = postgres.place(tmp_path / "posts.db"), tmp_path / "archive"
    steps(place, archive, 0, last=True)
    steps(place, archive, 1, last=True)
    (file,) = archive.iterdir()
    with file.open("ab") as torn:
        torn.write(b'{"uid":"cut off in the mid')
    steps(place, archive, 3, last=False)
    archived = Counter(json.loads(line)["uid"] for line in file.read_text().splitlines())
    with database.read() as connection:
        there = set(connection.scalars(text("SELECT id FROM posts")))
        left = set(connection.scalars(text("SELECT post_id FROM gone")))
    database.close()
    assert there == {count + 1}
    assert left == set(range(1, count + 1))
    assert {known[uid] for uid in archived} == left
    assert sorted(Counter(archived.values()).items()) == [(1, 2 * TOGETHER), (2, 2 * TOGETHER)]
