"""The outbox's files under fire: many processes, processes killed, a full disk."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import PlatformError
from postsched.platforms.outbox.document import read
from postsched.platforms.outbox.folder import Folder, refusal
from tests.platforms.outbox import sending
from tests.platforms.outbox.sending import login_to, numbered, publish

ROOT = Path(__file__).parents[3]


def start(folder: Path, seed: str, count: int) -> subprocess.Popen[bytes]:
    """A process that publishes."""
    return subprocess.Popen(
        [sys.executable, sending.__file__, str(folder), seed, str(count)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
    )


def whole(folder: Path) -> int:
    """How many posts are in the folder, each of which must be complete."""
    files = list((folder / "posts").glob("*.md")) if (folder / "posts").is_dir() else []
    for file in files:
        entry = read(file.stem, file.read_bytes())
        assert entry is not None, file
        assert entry.text.endswith("end"), file
    return len(files)


def placed(folder: Path) -> int:
    """How many posts are in the folder, complete or not."""
    return sum(name.endswith(".md") for name in os.listdir(folder / "posts"))


@pytest.mark.slow
def test_processes_publish_the_same_posts_once(tmp_path: Path) -> None:
    processes = [start(tmp_path, seed, 60) for seed in ("a", "a", "b")]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert whole(tmp_path) == 120
    page = (tmp_path / "index.html").read_text()
    assert page.count("<article") == 120
    assert not list((tmp_path / ".scratch").iterdir())
    assert not (tmp_path / ".dirty").exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_a_killed_process_leaves_nothing_half_written(tmp_path: Path) -> None:
    chance = random.Random(7)
    publish(login_to(tmp_path))
    for _ in range(8):
        before = whole(tmp_path)
        process = start(tmp_path, "a", 80)
        deadline = time.monotonic() + 30
        while placed(tmp_path) == before and process.poll() is None:
            assert time.monotonic() < deadline
        time.sleep(chance.random() / 20)  # the moment of the kill, not a wait for anything
        process.send_signal(signal.SIGKILL)
        process.wait()
        whole(tmp_path)
        for name in ("index.html", "feed.xml"):
            assert (tmp_path / name).read_bytes().rstrip().endswith((b"</html>", b"</feed>"))
    assert start(tmp_path, "a", 80).wait(60) == 0
    assert whole(tmp_path) == 80
    publish(login_to(tmp_path), *numbered("a", 80)[-1:])
    left = [p.name for p in (tmp_path / ".scratch").iterdir()]
    assert left == [], "what killed processes left goes when the same is written again"
    assert (tmp_path / "index.html").read_text().count("<article") == 80


def test_threads_racing_for_one_name_place_one_file(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.make()
    for round_ in range(30):
        barrier = Barrier(8)

        def place(i: int, name: str = f"{round_}", barrier: Barrier = barrier) -> bool:
            barrier.wait()
            return folder.add(name, b"%d" % i)

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(place, range(8))) == 1


def test_a_file_system_without_links_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "not here")

    folder = Folder(tmp_path)
    folder.make()
    monkeypatch.setattr(os, "link", no_links)
    assert folder.add("a", b"one")
    assert not folder.add("a", b"two")
    assert folder.content("a") == b"one"


def test_a_burst_shares_rebuilds_and_misses_none(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.make()
    first_runs, go_on = Event(), Event()
    builds = []

    def slow(root: Path) -> dict[str, bytes]:
        builds.append(sorted(p.name for p in folder.posts.iterdir()))
        first_runs.set()
        assert go_on.wait(10)
        return {"index.html": b"page"}

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(folder.refresh, slow)
        assert first_runs.wait(10)
        for i in range(100):
            folder.add(f"{i:03}", b"text")
            folder.refresh(slow)  # comes back at once: a rebuild is running
        go_on.set()
        running.result(10)
    assert len(builds) == 2
    assert len(builds[-1]) == 100


def test_a_rebuild_that_failed_is_made_up_for(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.make()

    def broken(root: Path) -> dict[str, bytes]:
        raise ValueError("a fault of ours")

    with pytest.raises(ValueError, match="ours"):
        folder.refresh(broken)
    assert (tmp_path / ".dirty").exists()
    folder.refresh(lambda root: {"index.html": b"whole"})
    assert (tmp_path / "index.html").read_bytes() == b"whole"
    assert not (tmp_path / ".dirty").exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_worth_another_try(tmp_path: Path, number: int) -> None:
    error = refusal(OSError(number, os.strerror(number)), tmp_path)
    assert error.problem.kind is ErrorKind.TRANSIENT
    assert "full" in str(error)
    assert error.problem.hint


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="mounting needs root")
def test_a_really_full_disk(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(tmp_path)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        publish(login_to(tmp_path))
        with pytest.raises(PlatformError, match="full") as caught:
            publish(login_to(tmp_path), *numbered("a", 100))
        assert caught.value.problem.kind is ErrorKind.TRANSIENT
        assert 0 < whole(tmp_path) < 100
        assert not list((tmp_path / ".scratch").iterdir())
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
