"""Keeping files: whole or not at all, once each, and nothing removed that is needed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from postsched.domain.errors import InvalidInput, StoreUnavailable
from postsched.domain.post import Media
from postsched.media.kept import MediaStore
from postsched.testing.picture import png

PNG = png(8, 4)
SHA256 = hashlib.sha256(PNG).hexdigest()
POSIX = pytest.mark.skipif(os.name != "posix", reason="POSIX permissions, pipes and limits")
FUTURE = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "data" / "media")


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    path = tmp_path / "cat.png"
    path.write_bytes(PNG)
    return path


def everything(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def refusal(store: MediaStore, path: Path) -> str:
    """What `keep` says against a file; `examine` says the same, and nothing is left."""
    with pytest.raises(InvalidInput) as kept:
        store.keep(path)
    with pytest.raises(InvalidInput) as examined:
        store.examine(path)
    assert str(kept.value) == str(examined.value)
    assert "\n" not in str(kept.value)
    assert everything(store.folder) == []
    return str(kept.value)


def test_a_kept_file_does_not_change_with_the_original(store: MediaStore, cat: Path) -> None:
    media = store.keep(cat)
    assert media == Media(
        "cat.png", type="image/png", bytes=len(PNG), sha256=SHA256, width=8, height=4
    )
    cat.unlink()
    assert store.path_of(media) == store.folder / SHA256[:2] / SHA256
    assert store.path_of(media).read_bytes() == PNG
    store.verify(media)
    assert list(store.digests()) == [SHA256]


def test_the_same_content_is_kept_once(store: MediaStore, cat: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.png"
    other.write_bytes(PNG)
    assert store.keep(cat).sha256 == store.keep(other, "name.png").sha256
    assert store.keep(other, "name.png").path == "name.png"
    assert everything(store.folder) == [store.folder / SHA256[:2] / SHA256]


def test_examining_keeps_nothing(store: MediaStore, cat: Path) -> None:
    assert store.examine(cat) == store.keep(cat)
    assert not list(MediaStore(store.folder / "none").digests())
    store.examine(cat)
    assert everything(store.folder) == [store.folder / SHA256[:2] / SHA256]


@POSIX
def test_only_the_owner_may_read(store: MediaStore, cat: Path) -> None:
    before = os.umask(0)
    try:
        path = store.path_of(store.keep(cat))
    finally:
        os.umask(before)
    modes = [
        p.stat().st_mode & 0o777 for p in (path, path.parent, store.folder, store.folder.parent)
    ]
    assert modes == [0o600, 0o700, 0o700, 0o700]


def test_what_is_no_file(store: MediaStore, tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    assert "there is no file " in refusal(store, tmp_path / "none.png")
    assert "there is no file " in refusal(store, tmp_path / "empty.png" / "x")
    assert "is a folder" in refusal(store, tmp_path)
    assert "empty.png is empty" in refusal(store, tmp_path / "empty.png")
    assert "its name is no file name" in refusal(store, tmp_path / "a\0b")
    assert "can't be read" in refusal(store, tmp_path / ("a" * 5_000))


@POSIX
def test_what_is_no_regular_file(store: MediaStore, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "gone.png").symlink_to("nothing")
    assert "pipe.png is no regular file" in refusal(store, tmp_path / "pipe.png")
    assert "is no regular file" in refusal(store, Path("/dev/null"))
    assert "can't be read" in refusal(store, tmp_path / "loop.png")
    assert "there is no file" in refusal(store, tmp_path / "gone.png")


def test_a_link_is_followed(store: MediaStore, cat: Path, tmp_path: Path) -> None:
    try:
        (tmp_path / "link.png").symlink_to(cat)
    except OSError as error:
        pytest.skip(f"no symbolic links here: {error}")
    path = store.path_of(store.keep(tmp_path / "link.png"))
    assert not path.is_symlink()
    assert path.read_bytes() == PNG


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything, so the tests drop that right for a moment."""
    if os.geteuid():
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


@POSIX
def test_a_file_one_may_not_read(store: MediaStore, cat: Path) -> None:
    cat.chmod(0)
    with as_nobody(), pytest.raises(InvalidInput, match="can't be read: Permission denied"):
        store.examine(cat)


@POSIX
def test_a_folder_one_may_not_write(tmp_path: Path, cat: Path) -> None:
    with as_nobody(), pytest.raises(StoreUnavailable, match="media can't be kept in /proc/1"):
        MediaStore(Path("/proc/1/media")).keep(Path(__file__))


def test_a_file_in_place_of_the_folder(cat: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"can't be kept in .*: Not a directory"):
        MediaStore(cat).keep(cat)
    with pytest.raises(StoreUnavailable, match="media can't be kept in"):
        MediaStore(cat / "below").keep(cat)


LIMITED = """
import resource, sys
from pathlib import Path
from postsched.domain.errors import StoreUnavailable
from postsched.media.kept import MediaStore
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    MediaStore(Path(sys.argv[1])).keep(Path(sys.argv[2]))
except StoreUnavailable as error:
    print(error)
"""


@POSIX
def test_a_copy_that_fails_leaves_nothing(store: MediaStore, tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(os.urandom(3_000_000))
    command = [sys.executable, "-c", LIMITED, str(store.folder), str(big)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout.startswith(f"media can't be kept in {store.folder}: File too large")
    assert everything(store.folder) == []


@POSIX
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(small)]
    try:
        mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no command mount")
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    try:
        big = tmp_path / "big"
        big.write_bytes(os.urandom(1_000_000))
        store = MediaStore(small / "media")
        with pytest.raises(StoreUnavailable, match="there is no room left in"):
            store.keep(big)
        assert everything(small) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_file_that_changes_meanwhile_is_refused(store: MediaStore, tmp_path: Path) -> None:
    from postsched.media.original import blocks

    path = tmp_path / "growing"
    path.write_bytes(b"a" * 2_000_000)
    with path.open("rb") as file:
        reading = blocks(file, path)
        next(reading)
        with path.open("ab") as more:
            more.write(b"b")
        with pytest.raises(InvalidInput, match="was changed while it was read"):
            list(reading)


def test_large_files_take_little_memory(store: MediaStore, tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(50_000_000)
    tracemalloc.start()
    try:
        assert store.keep(large).bytes == 50_000_000
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_large_film_that_is_cut_off_is_not_copied_first(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    with film.open("wb") as file:
        file.write(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom")
        file.truncate(2 << 30)
    (tmp_path / "taken").write_bytes(b"")
    nowhere = MediaStore(tmp_path / "taken" / "media")  # what is copied can't be written here
    with pytest.raises(InvalidInput, match=r"film\.mp4 is not whole: it is cut off"):
        nowhere.keep(film)


def test_what_is_not_kept_has_no_place(store: MediaStore) -> None:
    for media in (
        Media(url="https://a.example/x.png"),
        Media("x", sha256="../../etc/passwd"),
        Media(),
    ):
        with pytest.raises(InvalidInput, match="is not a kept file"):
            store.path_of(media)


def test_damage_is_found_and_mended_by_keeping_again(store: MediaStore, cat: Path) -> None:
    media = store.keep(cat)
    store.path_of(media).write_bytes(b"x" * len(PNG))
    with pytest.raises(StoreUnavailable, match=r"the kept copy of cat\.png is damaged"):
        store.verify(media)
    store.keep(cat)
    store.verify(media)
    store.path_of(media).unlink()
    with pytest.raises(StoreUnavailable, match=r"the kept copy of cat\.png is gone"):
        store.verify(media)


def test_what_no_post_needs_is_removed(store: MediaStore, cat: Path, tmp_path: Path) -> None:
    needed, unused = store.keep(cat), store.keep(_other(tmp_path))
    assert store.remove_unused({SHA256}, FUTURE) == 1
    store.verify(needed)
    assert not store.path_of(unused).exists()
    assert store.remove_unused({SHA256}, FUTURE) == 0
    assert MediaStore(tmp_path / "none").remove_unused(set(), FUTURE) == 0


def test_what_is_young_is_not_removed(store: MediaStore, cat: Path) -> None:
    media = store.keep(cat)
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert store.remove_unused(set(), hour_ago) == 0
    store.verify(media)
    os.utime(store.path_of(media), (0, 0))
    store.keep(cat)  # makes it young again
    assert store.remove_unused(set(), hour_ago) == 0
    os.utime(store.path_of(media), (0, 0))
    assert store.remove_unused(set(), hour_ago) == 1


def test_what_a_dead_process_left_is_put_right(
    store: MediaStore, cat: Path, tmp_path: Path
) -> None:
    needed, unused = store.keep(cat), store.keep(_other(tmp_path))
    aside = [store.folder / f".unused-{media.sha256}" for media in (needed, unused)]
    store.path_of(needed).rename(aside[0])
    store.path_of(unused).rename(aside[1])
    (store.folder / ".new-abc").write_bytes(b"half")
    store.remove_unused({SHA256}, FUTURE)
    store.verify(needed)
    assert everything(store.folder) == [store.path_of(needed)]


def _other(folder: Path) -> Path:
    other = folder / "other.png"
    other.write_bytes(png(2, 2))
    return other


KEEPER = """
import sys
from pathlib import Path
from postsched.media.kept import MediaStore
store = MediaStore(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    for path in sys.argv[2:]:
        store.keep(Path(path))
"""


def test_kills_leave_whole_files_only(store: MediaStore, tmp_path: Path) -> None:
    files = [tmp_path / f"{n}" for n in range(3)]
    for file in files:
        file.write_bytes(os.urandom(2_000_000))
    command = [sys.executable, "-c", KEEPER, str(store.folder), *map(str, files)]
    for n in range(6):
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        moment = time.monotonic() + 0.003 * 3**n / 3
        while time.monotonic() < moment:
            pass
        process.kill()
        process.communicate()
        for digest in store.digests():
            assert (
                hashlib.sha256(store.path_of(Media(sha256=digest)).read_bytes()).hexdigest()
                == digest
            )
    store.remove_unused(set(store.digests()), FUTURE)
    assert len(everything(store.folder)) <= 3


def test_keeping_wins_over_removing(store: MediaStore, cat: Path) -> None:
    """One process keeps while this one removes all it may: what was just kept is always there."""
    command = [sys.executable, "-c", KEEPER, str(store.folder), str(cat)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        for _ in range(100):
            media = store.keep(cat)
            os.utime(store.path_of(media), (0, 0))
            store.remove_unused(set(), datetime.now(UTC) - timedelta(hours=1))
        assert process.poll() is None, "keeping failed in the other process"
    finally:
        process.kill()
        process.communicate()
    media = store.keep(cat)
    store.remove_unused(set(), datetime.now(UTC) - timedelta(hours=1))
    store.verify(media)
