"""Opening a database, and what each way to fail comes to in words."""

from __future__ import annotations

import os
import resource
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from postsched.domain.errors import StoreBusy, StoreUnavailable
from postsched.store import migrations, place
from postsched.store.database import Database
from postsched.store.opening import open_database
from tests.store.disks import bound_by_permissions, fill, small_disk

INSERT = text("INSERT INTO leases (name, holder, until) VALUES (:name, 'x', 0)")
OPENER = """
import sys
from postsched.domain.errors import PostschedError
from postsched.store.opening import open_database
from sqlalchemy import text
try:
    with open_database(sys.argv[1], patience=0.1).write() as connection:
        connection.execute(text("INSERT INTO leases (name, holder, until) VALUES ('a', 'x', 0)"))
except PostschedError as error:
    print(type(error).__name__, error)
"""

pytestmark = pytest.mark.sqlite


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database goes: a folder that is not there yet."""
    return tmp_path / "data" / "posts.db"


@pytest.fixture
def base(path: Path) -> Iterator[Database]:
    """An open database."""
    with closing(open_database(str(path), patience=0.2)) as opened:
        yield opened


def names(database: Database) -> list[str]:
    """What was inserted."""
    with database.read() as connection:
        return list(connection.scalars(text("SELECT name FROM leases ORDER BY name")))


def insert(database: Database, *names: str) -> None:
    """Insert them in one transaction."""
    with database.write() as connection:
        for name in names:
            connection.execute(INSERT, {"name": name})


def pragma(connection: Connection, name: str) -> object:
    """The value of a pragma."""
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def digest(path: Path) -> str:
    """What is in a file."""
    return sha256(path.read_bytes()).hexdigest()


def refusal(path: Path | str) -> str:
    """What opening it comes to, in one line."""
    with pytest.raises(StoreUnavailable) as refused:
        open_database(str(path), patience=0.1)
    assert refused.value.hint
    assert "\n" not in str(refused.value)
    return str(refused.value)


def by_a_process(path: Path, *, limit: int | None = None) -> str:
    """What opening and writing comes to in a process that is bound by permissions, and that can
    make no file larger than the limit in bytes."""

    def bind() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [*bound_by_permissions(), sys.executable, "-c", OPENER, str(path)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        preexec_fn=bind,
    )
    return done.stdout.strip()


def test_only_the_owner_may_read_any_of_its_files(base: Database, path: Path) -> None:
    with base.write() as connection:
        connection.execute(INSERT, {"name": "a"})
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"posts.db": 0o600, "posts.db-wal": 0o600, "posts.db-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_every_connection_is_durable_and_keeps_references(base: Database) -> None:
    with base.read() as one, base.read() as other:
        for connection in (one, other):
            found = [pragma(connection, n) for n in ("journal_mode", "synchronous", "foreign_keys")]
            assert found == ["wal", 2, 1]


def test_an_exception_takes_everything_back(base: Database) -> None:
    with pytest.raises(StoreUnavailable, match="UNIQUE"):
        insert(base, "a", "a")
    assert names(base) == []


def test_readers_see_one_state_and_block_nobody(base: Database) -> None:
    with base.read() as reader:
        before = list(reader.execute(text("SELECT name FROM leases")))
        with base.write() as writer:
            writer.execute(INSERT, {"name": "a"})
        assert list(reader.execute(text("SELECT name FROM leases"))) == before == []
    assert names(base) == ["a"]


def test_a_writer_waits_and_then_says_that_it_is_locked(base: Database, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert names(base) == []
        with pytest.raises(StoreBusy, match=r"posts\.db is locked by another process"):
            insert(base, "a")
        other.execute("COMMIT")
    insert(base, "b")
    assert names(base) == ["b"]


def test_one_that_is_locked_for_good_can_not_be_opened(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "is locked" in refusal(path)


def test_many_make_the_same_new_file_at_once(path: Path) -> None:
    def open_and_write(n: int) -> None:
        with closing(open_database(str(path), patience=20)) as opened, opened.write() as writer:
            writer.execute(INSERT, {"name": str(n)})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(open_and_write, range(8)))
    with closing(open_database(str(path))) as opened:
        assert names(opened) == [str(n) for n in range(8)]
        with opened.read() as connection:
            assert pragma(connection, "journal_mode") == "wal"


def test_none_is_made_beside_the_log_of_one_that_is_gone(base: Database, path: Path) -> None:
    """SQLite would empty it, and who has that one open would write where nobody else looks."""
    with base.write() as connection:
        connection.execute(text("UPDATE meta SET value = 'u' WHERE name = 'uid'"))
    path.rename(path.with_name("away"))
    log = path.with_name(path.name + "-wal")
    before = log.read_bytes()
    with pytest.raises(StoreUnavailable, match=r"is gone, but its log posts\.db-wal is there"):
        open_database(str(path))
    assert (path.exists(), log.read_bytes()) == (False, before)
    path.with_name("away").rename(path)
    with base.read() as connection:
        assert connection.scalar(text("SELECT value FROM meta WHERE name = 'uid'")) == "u"


def test_nothing_is_written_to_a_log_that_was_removed(base: Database, path: Path) -> None:
    with base.write() as connection:
        connection.execute(text("UPDATE meta SET value = 'u' WHERE name = 'uid'"))
    log = path.with_name(path.name + "-wal")
    log.rename(path.with_name("away"))
    for use in (base.write, base.read):
        with pytest.raises(StoreUnavailable, match="was removed by another program"), use():
            pass
    path.with_name("away").rename(log)
    with base.read() as connection:
        assert connection.scalar(text("SELECT value FROM meta WHERE name = 'uid'")) == "u"


def test_a_file_without_a_log_gets_one(base: Database, path: Path) -> None:
    base.close()
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("PRAGMA journal_mode=DELETE")
    with closing(open_database(str(path))) as opened, opened.read() as connection:
        assert pragma(connection, "journal_mode") == "wal"


def test_the_log_is_moved_into_the_file(base: Database, path: Path) -> None:
    before = digest(path)
    insert(base, "a")
    assert digest(path) == before
    base.checkpoint()
    assert digest(path) != before


@pytest.mark.parametrize("name", ["we?ird.db", "per%20cent#.db", "ünï code.db", "a'b.db"])
def test_any_name_will_do(tmp_path: Path, name: str) -> None:
    with closing(open_database(str(tmp_path / name))) as opened:
        assert names(opened) == []
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_link_names_the_file_that_it_leads_to(base: Database, path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(path)
    with closing(open_database(str(link))) as opened:
        assert opened.path == base.path == path.resolve()


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"This is a letter, and no database at all." * 100)
    before = digest(path)
    assert f"{path} is no SQLite database" in refusal(path)
    assert digest(path) == before


def test_the_database_of_another_program_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE meta (name, value)")
        other.execute("INSERT INTO meta VALUES ('schema', 'x')")
        other.commit()
    before = digest(path)
    assert f"{path} is the database of another program" in refusal(path)
    assert digest(path) == before
    assert list(path.parent.iterdir()) == [path]


def test_a_newer_version_is_refused_and_left_alone(base: Database, path: Path) -> None:
    with base.write() as connection:
        connection.execute(text("UPDATE meta SET value = '999' WHERE name = 'schema'"))
    base.close()
    before = digest(path)
    said = refusal(path)
    assert f"schema version 999, this postsched knows up to {migrations.latest()}" in said
    assert "Upgrade" in said
    assert digest(path) == before


def test_one_that_says_no_version_is_refused(base: Database, path: Path) -> None:
    with base.write() as connection:
        connection.execute(text("DELETE FROM meta WHERE name = 'schema'"))
    base.close()
    assert "says no schema version" in refusal(path)


def test_a_damaged_page_is_said(base: Database, path: Path) -> None:
    with base.write() as connection:
        root = connection.scalar(text("SELECT rootpage FROM sqlite_master WHERE name = 'leases'"))
        size = pragma(connection, "page_size")
    base.close()
    assert isinstance(root, int)
    assert isinstance(size, int)
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    opened = open_database(str(path))
    with pytest.raises(StoreUnavailable, match=r"is damaged\. Restore it"), opened.read() as broken:
        broken.execute(text("SELECT holder FROM leases"))
    opened.close()


def test_a_file_that_was_cut_off_is_said(base: Database, path: Path) -> None:
    base.close()
    os.truncate(path, 5000)
    assert "is damaged" in refusal(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert "is a directory" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "is no ordinary file" in refusal(tmp_path / "pipe")
    (tmp_path / "file").touch()
    assert "is no folder" in refusal(tmp_path / "file" / "posts.db")


def test_a_file_that_may_not_be_written(base: Database, path: Path) -> None:
    base.close()
    path.chmod(0o400)
    said = by_a_process(path)
    assert said == (
        f"StoreUnavailable the database {path} is read-only. "
        "Check the permissions of the file and its folder"
    )


def test_a_folder_that_may_not_be_written(base: Database, path: Path) -> None:
    base.close()
    path.parent.chmod(0o500)
    said = by_a_process(path)
    path.parent.chmod(0o700)
    assert said.startswith(f"StoreUnavailable the database {path} ")
    assert "Check the" in said


def test_a_file_that_may_not_be_made_or_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert by_a_process(tmp_path / "posts.db").startswith("StoreUnavailable can't open ")
    tmp_path.chmod(0o700)
    (tmp_path / "posts.db").touch(mode=0o000)
    said = by_a_process(tmp_path / "posts.db")
    assert said == (
        f"StoreUnavailable can't open {tmp_path / 'posts.db'}: Permission denied. "
        "Check the path, or name another with --db"
    )


def test_a_limit_on_the_size_of_files(base: Database, path: Path) -> None:
    base.close()
    assert "can't be read or written. Check the disk" in by_a_process(path, limit=4096)
    with closing(open_database(str(path))) as opened:
        assert names(opened) == []


def test_a_full_disk_loses_nothing_and_is_overcome(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk") as disk,
        closing(open_database(str(disk / "posts.db"), patience=0.2)) as opened,
    ):
        insert(opened, "before")
        filler = fill(disk)
        with pytest.raises(StoreUnavailable, match="the disk is full"):
            insert(opened, *[f"{n:04}" + "x" * 3000 for n in range(1000)])
        assert names(opened) == ["before"]
        filler.unlink()
        insert(opened, "later")
        assert names(opened) == ["before", "later"]


def test_a_new_one_on_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        filler = fill(disk)
        assert "the disk is full" in refusal(disk / "posts.db")
        filler.unlink()
        with closing(open_database(str(disk / "posts.db"))) as opened:
            assert names(opened) == []


def test_network_file_systems_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = place.file_system(tmp_path)
    if here is None:
        pytest.skip("this system does not say what file systems there are")
    monkeypatch.setattr(place, "NETWORK_FILE_SYSTEMS", frozenset({here}))
    assert "network file system" in refusal(tmp_path / "posts.db")
    assert list(tmp_path.iterdir()) == []


def test_no_message_holds_the_text_of_a_post(base: Database) -> None:
    with pytest.raises(StoreUnavailable) as failed, base.write() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:text)"), {"text": "my secret text"})
    assert "my secret text" not in f"{failed.value} {failed.value.__cause__}"


def test_steps_are_taken_once_and_in_order(
    base: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base.close()
    taken: list[str] = []
    before = migrations.STEPS
    steps = (*before, lambda _: taken.append("first"), lambda _: taken.append("second"))
    monkeypatch.setattr(migrations, "STEPS", steps)
    for _ in range(2):
        open_database(str(path)).close()
    assert taken == ["first", "second"]
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone() == (
            str(len(before) + 3),
        )


def test_a_step_that_fails_changes_nothing(
    base: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(connection: Connection) -> None:
        connection.execute(text("DROP TABLE leases"))
        connection.execute(text("DROP TABLE nowhere"))

    base.close()
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, half))
    assert "failed: no such table: nowhere" in refusal(path)
    monkeypatch.undo()
    with closing(open_database(str(path))) as opened:
        assert names(opened) == []
