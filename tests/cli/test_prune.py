"""prune, and what other commands say of posts that have left."""

from __future__ import annotations

import json
from operator import itemgetter
from pathlib import Path

import pytest

from postsched.wakeup import Bell, folder_of, new_mark
from tests.cli.posting import Posting
from tests.servers import postgres

OLD = 500 * 86_400 * 1_000_000


def age(cli: Posting, span: int = OLD) -> None:
    """Let all that is there have happened long ago."""
    with cli.database() as base:
        for table, column in (
            ("posts", "updated_at"), ("attempts", "started_at"), ("deliveries", "occurrence"),
            ("deliveries", "started_at"), ("deliveries", "finished_at"),
        ):  # fmt: skip
            base.execute(f"UPDATE {table} SET {column} = {column} - ?", (span,))


def size(cli: Posting) -> int:
    """Of the file of the database, none on a server."""
    return 0 if postgres.is_used() else cli.call.database.stat().st_size


@pytest.fixture
def archive(cli: Posting) -> Path:
    """The archive, with three posts that are out, two of them long ago, and one to come."""
    for number in range(3):
        cli("add", f"Hello {number} " + 2_000 * "x", "--at", "now", "--key", f"k{number}")
    cli("publish-due")
    age(cli)
    cli("add", "Later", "--in", "1h")
    return cli.call.database.parent / "archive"


def test_what_is_long_over_leaves_and_is_still_known(cli: Posting, archive: Path) -> None:
    would = cli.json("prune", "--dry-run")
    assert (would["posts"], would["deliveries"], would["dry_run"]) == (3, 3, True)
    assert not archive.exists()
    assert "for the archive" in cli("prune", "--dry-run").out
    cli.refused(2, "prune")
    before = size(cli)
    done = cli.json("prune", "--yes")
    assert {**done, "bytes": 0, "free_bytes": 0} == {
        "dry_run": False, "posts": 3, "deliveries": 3, "failed": 0, "archive": str(archive),
        "media": 0, "bytes": 0, "free_bytes": 0,
    }  # fmt: skip
    assert (done["bytes"] or 0) <= before
    (file,) = archive.iterdir()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines.sort(key=itemgetter("id"))
    assert [line["key"] for line in lines] == ["k0", "k1", "k2"]
    assert lines[0]["deliveries"][0]["tries"][0]["outcome"] == "published"

    assert f"in the archive, in {file.name}" in cli.refused(3, "show", "1")
    assert cli.json("show", "1") == lines[0]
    words = ("add", "Hello 0 " + 2_000 * "x", "--at", "now", "--key", "k0")
    assert "there already" in cli(*words).out
    assert cli.json(*words) == lines[0]
    cli.refused(2, "add", "Other", "--at", "now", "--key", "k0")
    file.unlink()
    assert cli.json(*words) == {"id": 1}
    assert "has left the database" in cli.refused(3, "show", "1", "--json")
    assert "has left the database" in cli.refused(3, "edit", "2", "New")
    assert cli("prune").out == "Nothing is over for 400d that could leave\n"


def test_publish_due_does_a_share(cli: Posting, archive: Path) -> None:
    cli("add", "Now", "--at", "now")
    cli("publish-due")
    assert [line[0] for line in cli.rows("SELECT id FROM posts")] == [4, 5]
    (file,) = archive.iterdir()
    assert len(file.read_text().splitlines()) == 3
    assert cli("doctor", code=0).code == 0


def test_what_can_be_said_of_how_old(cli: Posting, archive: Path) -> None:
    assert "35d" in cli.refused(2, "prune", "--older-than", "34d", "--yes")
    cli.refused(2, "prune", "--older-than", "soon")
    assert cli.json("prune", "--older-than", "501d", "--yes")["posts"] == 0
    cli.call.set(POSTSCHED_KEEP="forever")
    assert "for ever" in cli.refused(1, "prune", "--yes")
    cli.call.set(POSTSCHED_ARCHIVE="false")
    assert "for good" in cli("prune", "--older-than", "400d", "--yes").out
    assert not archive.exists()
    assert "not archived" in cli.refused(3, "show", "1")


@pytest.mark.sqlite
def test_a_file_in_use_is_not_written_anew(cli: Posting, archive: Path) -> None:
    with cli.database() as base:
        base.execute("CREATE TABLE filler (x)")
        base.execute("INSERT INTO filler VALUES (zeroblob(1000000))")
        base.execute("DROP TABLE filler")
    bell = Bell(folder_of(cli.call.database), new_mark())
    said = cli("prune", "--yes")
    assert "stop postsched and prune again" in said.err
    bell.take_down(keep=False)
    before = cli.call.database.stat().st_size
    assert "The database went from" in cli("prune", "--yes").out
    assert cli.call.database.stat().st_size < before - 900_000
