"""Bells: rung from other processes, and telling whether their worker lives."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from postsched import wakeup
from postsched.domain.errors import StoreUnavailable
from postsched.wakeup import Bell

pytestmark = pytest.mark.skipif(not wakeup.FIFO, reason="this system has no FIFOs")
HOLDER = """
import sys, time
from pathlib import Path
from postsched.wakeup import Bell
bell = Bell(Path(sys.argv[1]), sys.argv[2])
print("up", flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return wakeup.folder_of(tmp_path / "posts.db")


@contextlib.contextmanager
def hung(folder: Path, mark: str = "a" * 16, **more: Any) -> Iterator[Bell]:
    """A bell that is taken down in the end."""
    bell = Bell(folder, mark, **more)
    try:
        yield bell
    finally:
        bell.take_down(keep=False)


@contextlib.contextmanager
def process(folder: Path, mark: str) -> Iterator[subprocess.Popen[str]]:
    """Another process with a bell."""
    command = [sys.executable, "-c", HOLDER, str(folder), mark]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "up\n"
        try:
            yield other
        finally:
            other.kill()


def rings(bell: Bell, ring: Callable[[], Any], expected: int = 1, patience: float = 5) -> int:
    """How often the bell is answered after `ring` was called, waiting for so many."""
    heard = 0

    async def scene() -> None:
        nonlocal heard
        loop = asyncio.get_running_loop()

        def answer() -> None:
            nonlocal heard
            heard += 1

        bell.hang(loop, answer)
        await asyncio.to_thread(ring)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while heard < expected:
                    await asyncio.sleep(0.001)
        bell.silence(loop)

    asyncio.run(scene())
    return heard


@pytest.mark.parametrize("fifo", [True, False])
def test_another_process_rings(folder: Path, fifo: bool) -> None:
    code = (
        f"from pathlib import Path; from postsched.wakeup import tell; tell(Path({str(folder)!r}))"
    )
    with hung(folder, fifo=fifo) as bell:
        assert rings(bell, lambda: subprocess.run([sys.executable, "-c", code], check=True)) == 1


@pytest.mark.parametrize("fifo", [True, False])
def test_every_worker_is_rung(folder: Path, fifo: bool) -> None:
    with hung(folder, "a" * 16, fifo=fifo) as one, hung(folder, "b" * 16) as two:
        assert rings(one, lambda: wakeup.tell(folder)) == 1
        assert rings(two, lambda: None) == 1


def test_it_takes_less_than_a_millisecond(folder: Path) -> None:
    with hung(folder):
        begun = time.perf_counter()
        for _ in range(100):
            wakeup.tell(folder)
        assert (time.perf_counter() - begun) / 100 < 0.002


@pytest.mark.parametrize("fifo", [True, False])
def test_a_ring_before_the_answer_hangs_is_not_lost(folder: Path, fifo: bool) -> None:
    with hung(folder, fifo=fifo) as bell:
        wakeup.tell(folder)
        assert rings(bell, lambda: None) == 1


def test_a_bell_that_nobody_answers_holds_up_nobody(folder: Path) -> None:
    """The FIFO fills up: more rings tell nothing new."""
    with hung(folder) as bell:
        writer = os.open(bell.path, os.O_WRONLY | os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x" * 4096)
        os.close(writer)
        begun = time.monotonic()
        wakeup.tell(folder)
        assert time.monotonic() - begun < 1
        assert rings(bell, lambda: None, expected=1) >= 1


def test_there_need_be_no_folder(folder: Path) -> None:
    wakeup.tell(folder)
    assert wakeup.marks(folder) == []


def test_nothing_that_lies_there_stops_a_command(folder: Path) -> None:
    folder.mkdir()
    (folder / "empty.bell").touch()
    (folder / "words.bell").write_text("these are no numbers")
    (folder / "large.bell").write_text("99999999999999999999 token")
    (folder / "binary.bell").write_bytes(b"\xff\xfe\x00")
    (folder / "folder.bell").mkdir()
    (folder / "nowhere.bell").symlink_to("/nowhere/at/all")
    (folder / "closed.bell").touch(mode=0o000)
    with hung(folder) as bell:
        assert rings(bell, lambda: wakeup.tell(folder)) == 1


def test_only_who_knows_the_token_rings_a_port(folder: Path) -> None:
    with hung(folder, fifo=False) as bell:
        number, token = bell.path.read_text().split()

        def send(text: str) -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
                port.sendto(text.encode(), ("127.0.0.1", int(number)))

        assert rings(bell, lambda: send("x" * len(token)), patience=0.1) == 0
        assert rings(bell, lambda: send(token)) == 1


@pytest.mark.parametrize("fifo", [True, False])
def test_only_the_owner_may_ring(folder: Path, fifo: bool) -> None:
    with hung(folder, fifo=fifo) as bell:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(bell.path.stat().st_mode) == 0o600


class TestLife:
    """A bell tells whether its worker lives, whatever became of its process number."""

    def test_alive_and_dead(self, folder: Path) -> None:
        mark = "c" * 16
        with process(folder, mark) as other:
            assert wakeup.alive(folder, mark) is True
            assert wakeup.living(folder) == [mark]
            other.send_signal(signal.SIGKILL)
            other.wait()
            assert wakeup.alive(folder, mark) is False
            assert wakeup.living(folder) == []
            assert wakeup.marks(folder) == [mark]
            wakeup.tell(folder)
            wakeup.remove(folder, mark)
            assert wakeup.marks(folder) == []

    def test_a_stopped_process_lives(self, folder: Path) -> None:
        mark = "c" * 16
        with process(folder, mark) as other:
            other.send_signal(signal.SIGSTOP)
            assert wakeup.alive(folder, mark) is True
            other.send_signal(signal.SIGCONT)

    def test_a_bell_that_somebody_removed_tells_nothing(self, folder: Path) -> None:
        with hung(folder) as bell:
            bell.path.unlink()
            assert wakeup.alive(folder, "a" * 16) is None

    def test_nor_does_a_port(self, folder: Path) -> None:
        with hung(folder, fifo=False):
            assert wakeup.alive(folder, "a" * 16) is None
            assert wakeup.living(folder) == ["a" * 16]

    def test_one_that_was_left_hanging_is_dead(self, folder: Path) -> None:
        Bell(folder, "a" * 16).take_down(keep=True)
        assert wakeup.alive(folder, "a" * 16) is False

    def test_one_that_was_taken_down_is_gone(self, folder: Path) -> None:
        Bell(folder, "a" * 16).take_down(keep=False)
        assert wakeup.marks(folder) == []

    def test_a_child_does_not_keep_it_alive(self, folder: Path) -> None:
        """What a worker starts (a keyring's prompt, a notifier) may outlive it."""
        bell = Bell(folder, "a" * 16)
        with subprocess.Popen(["sleep", "60"], close_fds=False) as child:
            bell.take_down(keep=True)
            assert wakeup.alive(folder, "a" * 16) is False
            child.kill()

    def test_nobody_sees_it_before_it_can_be_rung(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Between its making and its opening it would count as dead."""
        seen: list[list[str]] = []
        real = os.mkfifo

        def mkfifo(path: Any, mode: int = 0o666) -> None:
            real(path, mode)
            seen.append(wakeup.marks(folder))

        monkeypatch.setattr(os, "mkfifo", mkfifo)
        with hung(folder):
            assert seen == [[]]


def test_without_fifos_a_port_is_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On FAT, say."""

    def mkfifo(path: Any, mode: int = 0) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "mkfifo", mkfifo)
    with hung(folder) as bell:
        assert not bell.path.is_fifo()
        assert rings(bell, lambda: wakeup.tell(folder)) == 1


def test_a_folder_that_can_not_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="can't make"):
        Bell(tmp_path / "file" / "run", "a" * 16)


def test_marks_do_not_repeat() -> None:
    marks = {wakeup.new_mark() for _ in range(1000)}
    assert len(marks) == 1000
    assert all(len(mark) == 16 for mark in marks)


def test_nothing_is_left_open(folder: Path) -> None:
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    for number in range(20):
        with hung(folder, f"{number:016}", fifo=number % 2 == 0):
            wakeup.tell(folder)
            wakeup.alive(folder, f"{number:016}")
    after = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    assert after == before
