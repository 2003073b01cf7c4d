"""What a file system has to be told beside reading and writing: what lasts, and who is alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def flush_folder(folder: Path) -> None:
    """Make a new name in the folder durable, where the system has that notion: Windows can't open
    a folder, and NTFS journals its names. Raises OSError."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def alone_with(descriptor: int) -> Iterator[None]:
    """Alone with an open file, where the system has such locks; waits for whoever has it."""
    if os.name == "nt":
        yield
        return
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
