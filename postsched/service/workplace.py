"""Folders for work in progress: hidden, beside the file that comes of it, gone afterwards.

Who works in one holds a lock on a file in it, which the system frees when a process dies. So what a
killed one has left behind is known, and is removed by the next that works beside the same file.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postsched.secrets.durable import try_lock

LOCK = "in-use"


@contextmanager
def beside(file: Path) -> Iterator[Path]:
    """A folder on the same disk as the file. Raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in left_beside(file):
        shutil.rmtree(folder, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{file.name}-", dir=file.parent))
    try:
        with _locked(folder / LOCK, os.O_CREAT):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def left_beside(file: Path) -> list[Path]:
    """The folders beside the file whose process was killed."""
    ours = re.compile(rf"\.{re.escape(file.name)}-[a-z0-9_]{{8}}")
    try:
        found = [one for one in file.parent.iterdir() if ours.fullmatch(one.name)]
    except OSError:
        return []
    return [folder for folder in sorted(found) if _is_left(folder)]


def _is_left(folder: Path) -> bool:
    try:
        with _locked(folder / LOCK) as free:
            return free
    except OSError:  # it is just being made, or somebody else's
        return False


@contextmanager
def _locked(path: Path, more: int = 0) -> Iterator[bool]:
    """Hold the lock, if it is free; whether it was."""
    descriptor = os.open(path, os.O_RDWR | more, 0o600)
    try:
        yield try_lock(descriptor)
    finally:
        os.close(descriptor)
