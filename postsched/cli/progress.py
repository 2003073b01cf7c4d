"""How far something long has got, on a terminal: an import (bytes read, then posts written), a
check, or the making of copies of large files."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from postsched.cli import streams

if TYPE_CHECKING:
    from postsched.cli.program import Program
    from postsched.domain.draft import Draft

PATIENCE = 0.5
"""Seconds that pass before anything is shown: a short import needs no progress."""


AT_FILES = 1.0
"""Seconds before it is said that files are being made ready, and between the counts of them."""


class Progress:
    """Shows nothing: for scripts, `--json` and `--quiet`."""

    def reading(self, stream: IO[bytes]) -> IO[bytes]:
        """The stream, watched."""
        return stream

    def written(self, done: int, total: int) -> None:
        """So many of the posts that are to be written are."""

    def checked(self, done: int, total: int) -> None:
        """So many of the deliveries are looked at."""

    def copied(self, done: int, total: int) -> None:
        """So many of the rows are copied, or compared."""


class Bars(Progress):
    """Bars on stderr. `size` is how many bytes there are to read, None if that isn't known."""

    def __init__(self, size: int | None) -> None:
        self._size, self._read = size, 0
        self._since = time.monotonic()
        self._shown: Any = None

    def reading(self, stream: IO[bytes]) -> IO[bytes]:
        """The stream, whose bytes are counted as they are read."""
        return cast("IO[bytes]", _Counted(stream, self._count))

    def written(self, done: int, total: int) -> None:
        """Move the second bar."""
        self._move(self._task("writing posts", total), done)

    def checked(self, done: int, total: int) -> None:
        """Move the only bar of `check`."""
        self._move(self._task("checking", total), done)

    def copied(self, done: int, total: int) -> None:
        """Move the only bar of `copy`."""
        self._move(self._task("copying", total), done)

    def close(self) -> None:
        """Leave no trace on the terminal."""
        if self._shown is not None:
            self._shown.stop()

    def _count(self, number: int) -> None:
        self._read += number
        self._move(self._task("reading", self._size), self._read)

    def _task(self, name: str, total: int | None) -> Any:
        """The bar of that name, None while it is too early to show anything."""
        if self._shown is None:
            if time.monotonic() - self._since < PATIENCE:
                return None
            self._shown = _bars()
        for task in self._shown.tasks:
            if task.description == name:
                return task.id
        return self._shown.add_task(name, total=total)

    def _move(self, task: Any, done: int) -> None:
        if task is not None:
            self._shown.update(task, completed=done)


@contextmanager
def progress_on(program: Program, files: Sequence[str], *, wanted: bool) -> Iterator[Progress]:
    """Progress for these files, if it is wanted and somebody can see it."""
    if not wanted or program.quiet or not sys.stderr.isatty():
        yield Progress()
        return
    bars = Bars(_size(files))
    try:
        yield bars
    finally:
        bars.close()


@contextmanager
def files_line(program: Program, draft: Draft, *, wanted: bool) -> Iterator[None]:
    """While the files of a draft are looked at and made to fit: a line that says so, if it takes
    long and somebody can see it. It is gone at the end."""
    seen = wanted and not program.quiet and sys.stderr.isatty()
    if not seen or not draft.media or _may_ask(program):
        yield
        return
    done = threading.Event()
    thread = threading.Thread(target=_count_seconds, args=(len(draft.media), done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _may_ask(program: Program) -> bool:
    """Whether a passphrase may be asked for meanwhile, whose prompt the line would cover."""
    return program.settings.media_host is not None and program.secrets.file is not None


def _count_seconds(count: int, done: threading.Event) -> None:
    what, seconds, line = "a file" if count == 1 else f"{count} files", 0.0, ""
    while not done.wait(AT_FILES):
        seconds += AT_FILES
        line = f"making {what} ready, {seconds:.0f} s"
        streams.write(sys.stderr, f"\r{line}")
        streams.flush(sys.stderr)
    if line:
        streams.write(sys.stderr, f"\r{' ' * len(line)}\r")
        streams.flush(sys.stderr)


def _size(files: Sequence[str]) -> int | None:
    paths = [Path(name).expanduser() for name in files]
    if "-" in files or not all(path.is_file() for path in paths):
        return None
    return sum(path.stat().st_size for path in paths)


def _bars() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    console = Console(file=sys.stderr)
    bars = Progress(*columns, TimeRemainingColumn(), console=console, transient=True)
    bars.start()
    return bars


class _Counted:
    """As much of a stream as a reader of posts uses; it tells how much is read."""

    def __init__(self, stream: IO[bytes], count: Callable[[int], None]) -> None:
        self._stream, self._count = stream, count

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        block = self._stream.read(size)
        self._count(len(block))
        return block
