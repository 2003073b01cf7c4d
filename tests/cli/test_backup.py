"""backup and restore: everything there and back, and nothing half-done, whatever happens."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from postsched.domain.secret import Secret
from postsched.secrets import Secrets
from postsched.testing.picture import png
from postsched.wakeup import Bell, folder_of, new_mark
from tests.cli.calling import Caller
from tests.store.disks import fill, small_disk

TOKEN = "tok-4711-geheim"
pytestmark = pytest.mark.sqlite  # a database server has means of its own for this
Entries = dict[str, bytes]


@pytest.fixture(scope="module")
def mould(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first home that is filled is kept, for the others to be copies of it."""
    return tmp_path_factory.mktemp("mould") / "data"


@pytest.fixture
def filled(call: Caller, mould: Path, tmp_path: Path) -> Caller:
    """A caller with two accounts, a group, and posts with and without media."""
    if mould.exists():
        shutil.copytree(mould, call.database.parent)
        return call
    cat = tmp_path / "cat.png"
    cat.write_bytes(png())
    for words in (
        ("account", "add", "me", "--platform", "outbox"),
        ("account", "add", "other", "--platform", "outbox"),
        ("account", "group", "all", "me", "other"),
        ("add", "Hello", "--to", "all", "--in", "1h"),
        ("add", "A cat", "--media", str(cat), "--alt", "a cat", "--in", "2h", "--to", "me"),
        ("add", "Draft", "--draft", "--to", "me"),
    ):
        answer = call(*words)
        assert answer.code == 0, answer.err
    shutil.copytree(call.database.parent, mould)
    return call


@pytest.fixture
def saved(filled: Caller, tmp_path: Path) -> Path:
    """A backup of it."""
    file = tmp_path / "saved.zip"
    assert filled("backup", str(file)).code == 0
    return file


def content(path: Path) -> list[str]:
    """All rows of a database, but those of workers."""
    with closing(sqlite3.connect(path)) as base:
        return [line for line in base.iterdump() if 'INTO "workers"' not in line]


def texts(path: Path) -> list[str]:
    """The texts of its posts."""
    with closing(sqlite3.connect(path)) as base:
        return [row[0] for row in base.execute("SELECT text FROM posts ORDER BY id")]


def tree(folder: Path) -> dict[str, str]:
    """The files below a folder, each with a digest of what is in it."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def entries(file: Path) -> Entries:
    """What is in an archive."""
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(file: Path, content: Entries) -> Path:
    """An archive of those entries."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return file


def with_note(content: Entries, **changes: Any) -> Entries:
    """The entries with a changed note, whose digest fits the database."""
    note = json.loads(content["backup.json"])
    note["database_sha256"] = hashlib.sha256(content["postsched.db"]).hexdigest()
    return {**content, "backup.json": json.dumps(note | changes).encode()}


def changed_database(content: Entries, folder: Path, statement: str) -> Entries:
    """The entries with a statement applied to the database."""
    path = folder / "changed.db"
    path.write_bytes(content["postsched.db"])
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA journal_mode=DELETE")
        base.execute(statement)
        base.commit()
    return with_note({**content, "postsched.db": path.read_bytes()})


@contextmanager
def living_worker(database: Path) -> Iterator[None]:
    """A process that works on a database, as its bell tells."""
    bell = Bell(folder_of(database), new_mark())
    yield
    bell.take_down(keep=False)


def test_there_and_back_again(filled: Caller, saved: Path) -> None:
    before, media = content(filled.database), tree(filled.database.parent / "media")
    assert len(media) == 1
    assert filled("add", "Later", "--to", "me", "--in", "1h").code == 0
    kept_media = filled.database.parent / "media"
    kept_media.rename(kept_media.with_name("gone"))
    answer = filled("restore", str(saved), "--yes", "--json")
    assert answer.code == 0, answer.err
    assert content(filled.database) == before
    assert tree(kept_media) == media
    found = answer.json
    assert (found["posts"], found["accounts"], found["media"]) == (3, 2, 1)
    assert texts(Path(found["kept"])) == ["Hello", "A cat", "Draft", "Later"]
    assert found["overdue"] == found["late"] == 0
    assert "warning" not in answer.err


def test_to_a_new_home(filled: Caller, saved: Path, tmp_path: Path) -> None:
    new = tmp_path / "new" / "home" / "posts.db"
    answer = filled("--db", str(new), "restore", str(saved))
    assert answer.code == 0, answer.err
    assert "Secrets are not part of a backup" in answer.err
    assert content(new) == content(filled.database)
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    assert sorted(path.name for path in new.parent.iterdir()) == ["media", "posts.db"]


def test_it_says_what_is_in_it(filled: Caller, tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    answer = filled("backup", str(file), "--json")
    assert answer.json == {
        "file": str(file),
        "created_at": answer.json["created_at"],
        "bytes": file.stat().st_size,
        "posts": 3,
        "accounts": 2,
        "media": 1,
        "missing": [],
    }
    assert answer.json["created_at"].endswith("Z")
    said = filled("backup", "--force", str(file)).out
    assert "3 posts, 2 accounts, 1 media file, " in said
    assert "\n" not in said.rstrip("\n")


def test_nobody_else_reads_it_and_no_secret_is_in_it(filled: Caller, tmp_path: Path) -> None:
    Secrets({}).write("me", Secret(TOKEN))
    file = tmp_path / "b.zip"
    assert filled("backup", str(file)).code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not [name for name, data in entries(file).items() if TOKEN.encode() in data]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_one_state_while_others_write(filled: Caller, tmp_path: Path) -> None:
    begun, stop = threading.Event(), threading.Event()

    def write_pairs() -> None:
        with closing(sqlite3.connect(filled.database, timeout=10)) as base:
            number = 0
            while not stop.is_set():
                number += 1
                base.execute("UPDATE posts SET text = ? WHERE id = 1", (str(number),))
                base.execute("UPDATE posts SET text = ? WHERE id = 3", (str(number),))
                base.commit()
                begun.set()

    writer = threading.Thread(target=write_pairs)
    writer.start()
    try:
        assert begun.wait(10)
        for n in range(3):
            assert filled("backup", str(tmp_path / f"{n}.zip")).code == 0
    finally:
        stop.set()
        writer.join()
    for n in range(3):
        copy = tmp_path / f"{n}.db"
        copy.write_bytes(entries(tmp_path / f"{n}.zip")["postsched.db"])
        first, _, third = texts(copy)
        assert first == third


def test_a_file_that_is_there_is_replaced_only_by_force(filled: Caller, tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    file.write_text("precious")
    filled("backup", str(file)).refused(2, "is there already", "--force")
    assert file.read_text() == "precious"
    assert filled("backup", "--force", str(file)).code == 0
    assert "postsched.db" in entries(file)


def test_its_own_files_are_not_replaced(filled: Caller, tmp_path: Path) -> None:
    own = filled.database.parent
    for place in (filled.database, own / "posts.db-wal", own / "media" / "x.zip"):
        filled("backup", "--force", str(place)).refused(2, "belongs to the database")
    filled("backup", str(tmp_path)).refused(2, "is a folder")
    filled("backup", str(tmp_path / "no" / "b.zip")).refused(2, "there is no folder")
    assert texts(filled.database) == ["Hello", "A cat", "Draft"]


def test_a_media_file_that_is_gone_is_said(filled: Caller, tmp_path: Path) -> None:
    (kept,) = [p for p in (filled.database.parent / "media").rglob("*") if p.is_file()]
    kept.write_bytes(b"damaged")
    answer = filled("backup", str(tmp_path / "b.zip"), "--json")
    assert answer.code == 0
    assert answer.json["missing"] == [kept.name]
    assert "1 media file that posts name" in answer.err
    assert sorted(entries(tmp_path / "b.zip")) == ["backup.json", "postsched.db"]


def test_a_full_disk_leaves_no_part_of_a_backup(filled: Caller, tmp_path: Path) -> None:
    with closing(sqlite3.connect(filled.database)) as base:
        base.execute("UPDATE posts SET warning = ? WHERE id = 3", (os.urandom(300_000).hex(),))
        base.commit()
    size = filled.database.stat().st_size
    with small_disk(tmp_path / "disk") as disk:
        for left in (0, size // 2, size + 100_000):
            fill(disk, left)
            filled("backup", str(disk / "b.zip")).refused(1, str(disk))
            assert [path.name for path in disk.iterdir()] == ["filler"]


def test_a_worker_that_lives_is_not_pulled_the_rug_from_under(filled: Caller, saved: Path) -> None:
    before = content(filled.database)
    with living_worker(filled.database):
        filled("restore", str(saved), "--yes").refused(1, "postsched is running", "Stop it")
    assert content(filled.database) == before
    assert filled("restore", str(saved), "--yes").code == 0


def test_it_asks_before_it_replaces(filled: Caller, saved: Path) -> None:
    assert filled("add", "Later", "--to", "me", "--in", "1h").code == 0
    before = tree(filled.database.parent)
    filled("restore", str(saved)).refused(2, "--yes")
    answer = filled.terminal("restore", str(saved), stdin="n\n")
    assert answer.code == 130
    assert "(4 posts) by the backup of" in answer.err
    assert tree(filled.database.parent) == before
    assert filled.terminal("restore", str(saved), stdin="y\n").code == 0
    assert len(texts(filled.database)) == 3


def _cut_off(file: Path, folder: Path) -> Path:
    cut = folder / "bad.zip"
    cut.write_bytes(file.read_bytes()[:-200])
    return cut


def _no_zip(file: Path, folder: Path) -> Path:
    (folder / "bad.zip").write_text("not a zip at all")
    return folder / "bad.zip"


def _other_zip(file: Path, folder: Path) -> Path:
    return packed(folder / "bad.zip", {"readme.txt": b"hello"})


def _flipped(name: str) -> Callable[[Path, Path], Path]:
    """The archive with a byte of an entry changed behind the back of the ZIP."""

    def flip(file: Path, folder: Path) -> Path:
        data = bytearray(file.read_bytes())
        with zipfile.ZipFile(file) as archive:
            info = next(i for i in archive.infolist() if i.filename.startswith(name))
        at = info.header_offset + 30 + len(info.filename) + 20 + info.compress_size // 2
        data[at] ^= 0xFF
        (folder / "bad.zip").write_bytes(data)
        return folder / "bad.zip"

    return flip


def _replaced(**data: bytes) -> Callable[[Path, Path], Path]:
    """The archive with the content of entries exchanged, and good checksums."""

    def replace(file: Path, folder: Path) -> Path:
        found = entries(file)
        for start, new in data.items():
            name = next(name for name in found if name.startswith(start))
            found[name] = new
        return packed(folder / "bad.zip", found)

    return replace


def _with_entry(name: str) -> Callable[[Path, Path], Path]:
    """The archive with one entry more."""
    return lambda file, folder: packed(folder / "bad.zip", {**entries(file), name: b"evil"})


def _with_note(**changes: Any) -> Callable[[Path, Path], Path]:
    """The archive with another note."""
    return lambda file, folder: packed(folder / "bad.zip", with_note(entries(file), **changes))


def _newer_schema(file: Path, folder: Path) -> Path:
    newer = "UPDATE meta SET value = '99' WHERE name = 'schema'"
    return packed(folder / "bad.zip", changed_database(entries(file), folder, newer))


def _orphans(file: Path, folder: Path) -> Path:
    orphans = "DELETE FROM accounts"
    return packed(folder / "bad.zip", changed_database(entries(file), folder, orphans))


def _foreign(file: Path, folder: Path) -> Path:
    with closing(sqlite3.connect(folder / "other.db")) as base:
        base.execute("CREATE TABLE x (y)")
    other = (folder / "other.db").read_bytes()
    return packed(folder / "bad.zip", with_note({**entries(file), "postsched.db": other}))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda file, folder: folder / "nothing.zip", "No such file"),
        (lambda file, folder: folder, "can't be read"),
        (_no_zip, "is no backup of postsched"),
        (_cut_off, "is no backup of postsched, or is cut off"),
        (_other_zip, "is no backup of postsched"),
        (_flipped("postsched.db"), "is damaged"),
        (_flipped("media/"), "is damaged"),
        (_flipped("backup.json"), "is damaged"),
        (_replaced(media=b"another picture"), "is damaged"),
        (_replaced(postsched=b"another database"), "is damaged"),
        (_replaced(backup=b"{}"), "is no backup"),
        (_replaced(backup=b"\xff"), "is no backup"),
        (_with_entry("../../evil"), "'../../evil', which no backup has"),
        (_with_entry("/etc/evil"), "which no backup has"),
        (_with_entry("media/../evil"), "which no backup has"),
        (_with_entry("media/" + "A" * 64), "which no backup has"),
        (_with_note(version=2), "newer postsched"),
        (_with_note(format="other"), "is no backup"),
        (_with_note(created_at="yesterday"), "is no backup"),
        (_newer_schema, "schema version 99"),
        (_orphans, "is damaged"),
        (_foreign, "another program"),
    ],
)
def test_a_bad_backup_is_refused_before_anything_is_touched(
    filled: Caller,
    saved: Path,
    tmp_path: Path,
    spoil: Callable[[Path, Path], Path],
    said: str,
) -> None:
    bad = spoil(saved, tmp_path)
    assert filled("list").code == 0  # leaves nothing in the log
    before = tree(filled.database.parent)
    filled("restore", str(bad), "--yes").refused(2, said)
    assert tree(filled.database.parent) == before


def test_the_database_of_another_program_is_not_replaced(
    filled: Caller, saved: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as base:
        base.execute("CREATE TABLE x (y)")
    before = other.read_bytes()
    answer = filled("--db", str(other), "restore", str(saved), "--yes")
    answer.refused(4, "another program")
    assert other.read_bytes() == before


@pytest.mark.parametrize("ruin", [b"", b"rubbish" * 1000, None])
def test_a_ruin_is_replaced_and_kept(filled: Caller, saved: Path, ruin: bytes | None) -> None:
    before, database = content(filled.database), filled.database
    if ruin is None:  # the file cut off, and a log that no longer fits it
        ruin = database.read_bytes()[:9000]
        database.with_name("posts.db-wal").write_bytes(b"x" * 5000)
    database.write_bytes(ruin)
    answer = filled("restore", str(saved), "--yes", "--json")
    assert answer.code == 0, answer.err
    assert content(database) == before
    if ruin:
        assert Path(answer.json["kept"]).read_bytes() == ruin


def test_those_who_are_reading_see_the_old_or_the_new(filled: Caller, saved: Path) -> None:
    with closing(sqlite3.connect(filled.database, isolation_level=None)) as reader:
        reader.execute("UPDATE posts SET text = 'changed'")  # stays in the log
        reader.execute("BEGIN")
        select = "SELECT text FROM posts ORDER BY id"
        before = reader.execute(select).fetchall()
        assert filled("restore", str(saved), "--yes").code == 0
        assert reader.execute(select).fetchall() == before
        reader.execute("COMMIT")
        assert reader.execute(select).fetchall() == [("Hello",), ("A cat",), ("Draft",)]


def test_a_full_disk_leaves_the_database_as_it_was(
    filled: Caller, saved: Path, tmp_path: Path
) -> None:
    size = len(entries(saved)["postsched.db"])
    with small_disk(tmp_path / "disk", "4m") as disk:
        database = disk / "posts.db"
        assert filled("--db", str(database), "account", "list").code == 0
        before = content(database)
        for room in (0, size // 2, size + 50_000, 2 * size + 50_000):
            filler = fill(disk, room)
            answer = filled("--db", str(database), "restore", str(saved), "--yes")
            assert answer.code in (1, 4), (room, answer)
            assert answer.err.count("\n") == 1
            filler.unlink()
            assert content(database) == before
            left = {path.name for path in disk.iterdir()}
            assert left <= {"posts.db", "posts.db-wal", "posts.db-shm", "media"}
        assert filled("--db", str(database), "restore", str(saved), "--yes").code == 0
        assert texts(database) == ["Hello", "A cat", "Draft"]


def test_what_became_due_meanwhile_is_said(filled: Caller, saved: Path, tmp_path: Path) -> None:
    hour = 3_600_000_000
    now = int(datetime.now(UTC).timestamp() * 1e6)
    late = changed_database(
        entries(saved),
        tmp_path,
        f"UPDATE deliveries SET due_at = {now - hour}, next_at = {now - hour}, grace_until = "
        f"CASE id WHEN 1 THEN {now - 1} ELSE {now + hour} END WHERE post_id = 1",
    )
    answer = filled("restore", str(packed(tmp_path / "late.zip", late)), "--yes", "--json")
    assert answer.code == 0
    assert (answer.json["overdue"], answer.json["late"]) == (2, 1)
    assert "warning: 2 of its deliveries became due" in answer.err
    assert "1 of these are past their grace" in answer.err


def test_workers_of_the_backup_are_not_taken_for_living(
    filled: Caller, saved: Path, tmp_path: Path
) -> None:
    worker = "INSERT INTO workers VALUES ({}, 'host', 'boot', 1, 'run', '{}', 0, NULL)"
    found = changed_database(entries(saved), tmp_path, worker.format(1, "idle"))
    found = changed_database(found, tmp_path, worker.format(2, "busy"))
    busy = "UPDATE deliveries SET claim = 'x', claim_worker = 2 WHERE id = 1"
    file = packed(tmp_path / "workers.zip", changed_database(found, tmp_path, busy))
    Bell(folder_of(filled.database), new_mark()).take_down(keep=True)
    assert filled("restore", str(file), "--yes").code == 0
    assert not list(folder_of(filled.database).iterdir())
    with closing(sqlite3.connect(filled.database)) as base:
        assert base.execute("SELECT id FROM workers").fetchall() == [(2,)]
    assert filled("status", "--json").json["workers"] == []


@pytest.mark.slow
@pytest.mark.parametrize("command", ["backup", "restore"])
def test_killed_at_any_moment(filled: Caller, saved: Path, tmp_path: Path, command: str) -> None:
    """A process is killed a bit later each time, until it comes to its end."""
    with closing(sqlite3.connect(filled.database)) as base:
        base.execute("UPDATE posts SET warning = ? WHERE id = 3", ("x" * 5_000_000,))
        base.commit()
    old, new = content(filled.database), content_of(saved, tmp_path)
    file = tmp_path / "killed.zip"
    words = {"backup": ["--force", str(file)], "restore": ["--yes", str(saved)]}[command]
    delay, codes = 0.3, []
    while 0 not in codes:
        process = subprocess.Popen(
            [sys.executable, "-m", "postsched", command, *words],
            env=filled.environ(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        codes.append(process.returncode)
        delay += 0.2
        if command == "restore":
            found = content(filled.database)
            assert found == new if process.returncode == 0 else found in (old, new)
        elif file.exists():
            assert content_of(file, tmp_path) == old
    assert -signal.SIGKILL in codes


def content_of(file: Path, folder: Path) -> list[str]:
    """All rows of the database in an archive."""
    copy = folder / f"copy-{time.monotonic_ns()}.db"
    copy.write_bytes(entries(file)["postsched.db"])
    return content(copy)
