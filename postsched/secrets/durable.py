"""Files that several processes write: one at a time, and each time whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from postsched.disk import flush_folder
from postsched.domain.errors import SecretUnavailable

PATIENCE = 30.0
"""Seconds another process is waited for: it may be making a key on a slow machine."""
PAUSE = 0.01
PRIVATE = 0o600
CAREFULLY = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def read(path: Path, largest: int) -> bytes | None:
    """The content of a private file, None if there is none.

    Raises SecretUnavailable for what is no file of this user's alone, or larger than `largest`
    bytes; OSError as the system does.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | CAREFULLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    try:
        _check_private(os.fstat(descriptor), path)
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(largest + 1)
    finally:
        os.close(descriptor)
    if len(content) > largest:
        raise SecretUnavailable(
            f"{path} is larger than any secrets file", "Set secrets_file to another place"
        )
    return content


def _check_private(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise SecretUnavailable(f"{path} is no file", "Set secrets_file to another place")
    if sys.platform == "win32":
        return  # the folder's access list decides there
    if found.st_uid != os.geteuid():
        raise SecretUnavailable(
            f"the secrets file {path} belongs to another user",
            f"chown it, or call postsched as the user with the number {found.st_uid}",
        )
    if found.st_mode & 0o077:
        raise SecretUnavailable(
            f"others than you may use the secrets file {path} (mode {found.st_mode & 0o777:o})",
            f"chmod 600 {path}",
        )


def replace(path: Path, content: bytes) -> None:
    """Put a file with that content in the place of the old one; killed at any moment, it is the
    old one or the new one, and what is left beside it is removed by the next call.

    To be called under `locked`. Raises OSError.
    """
    new = path.with_name(path.name + ".new")
    with suppress(FileNotFoundError):
        new.unlink()
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | CAREFULLY, PRIVATE)
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        _swap(new, path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
    flush_folder(path.parent)


def _swap(new: Path, path: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return os.replace(new, path)
        except PermissionError:
            if sys.platform != "win32" or time.monotonic() > end:
                raise
        time.sleep(PAUSE)  # Windows replaces no file that somebody is just reading


@contextmanager
def locked(path: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the right to write a file, against other processes and threads. The lock is a file
    beside it, which stays; the system frees it when a process dies.

    Raises SecretUnavailable after `patience` seconds, OSError as the system does.
    """
    beside = path.with_name(path.name + ".lock")
    descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | CAREFULLY, PRIVATE)
    try:
        end = time.monotonic() + patience
        while not try_lock(descriptor):
            if time.monotonic() > end:
                raise SecretUnavailable(
                    f"another process has been writing {path} for {patience:g} s",
                    "End it if it hangs, and try again",
                )
            time.sleep(PAUSE)
        yield
    finally:
        os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    """Lock an open file against other processes until it is closed, if nobody else does; whether
    that is so now. Raises OSError as the system does."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            return False
        raise
    return True
