"""The file a database is in, and the disk below it."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

from postsched.domain.errors import StoreUnavailable

LITTLE = 100_000
"""Bytes that are less than SQLite needs to begin anything."""
NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afpfs", "ncpfs", "davfs", "9p", "ceph", "lustre"}
    | {"fuse.sshfs", "fuse.glusterfs"}
)


def make_file(path: Path) -> None:
    """Make the file before SQLite does, so that nobody else can read it; SQLite gives its WAL the
    same permissions.

    One that is there is never opened here, nor anywhere else but by SQLite: closing it would end
    the locks (POSIX) of every connection that this process has to it. Another process that closes
    its last one would then take itself for the only user and remove the write-ahead log, and what
    this one writes after that nobody else would see (sqlite.org/howtocorrupt.html, section 2.2).
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError as error:
        raise StoreUnavailable(
            f"can't open {path}: {path.parent} is no folder", "Name another with --db"
        ) from error
    except OSError as error:
        raise _unopened(path, error) from error
    try:
        if file_system(path.parent) in NETWORK_FILE_SYSTEMS:
            raise StoreUnavailable(
                f"{path} lies on a network file system ({file_system(path.parent)}), where "
                "SQLite's locks can't be trusted",
                "Name a file on a local disk with --db",
            )
        if path.exists() and not path.is_file():
            what = "a directory" if path.is_dir() else "no ordinary file"
            raise StoreUnavailable(f"{path} is {what}", "Name a file with --db")
        if not path.exists():
            expect_no_log(path)
            with suppress(FileExistsError):  # another process was faster
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDONLY, 0o600))
        elif not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _unopened(path, error) from error


def log_of(path: Path) -> Path:
    """Where SQLite keeps the write-ahead log of a database file."""
    return path.with_name(path.name + "-wal")


def expect_no_log(path: Path) -> None:
    """Raise StoreUnavailable where a file is to be made, or is not there, and its log is.

    SQLite empties the log that it finds beside a new file. Where the file was only moved away,
    its users would go on writing to a log that nobody else sees, and what they send others would
    send again."""
    if log_of(path).exists() and not path.exists():  # or another process was faster
        raise StoreUnavailable(
            f"the database {path} is gone, but its log {log_of(path).name} is there",
            "Put it back where it was; to begin a new one, stop postsched and remove the log too",
        )


def _unopened(path: Path, error: OSError) -> StoreUnavailable:
    return StoreUnavailable(
        f"can't open {path}: {error.strerror}", "Check the path, or name another with --db"
    )


def file_system(folder: Path) -> str | None:
    """The type of the file system a folder is on, where the system says (Linux)."""
    mounts = Path("/proc/self/mounts")
    if not mounts.exists():
        return None
    best, found = "", None
    real = str(folder.resolve())
    for line in mounts.read_text(errors="replace").splitlines():
        _, point, kind, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        if len(point) >= len(best) and (real + "/").startswith(point.rstrip("/") + "/"):
            best, found = point, kind
    return found


def file_id(path: Path) -> tuple[int, int]:
    """What tells a file from another one of the same name. Raises OSError."""
    found = os.stat(path)
    return found.st_dev, found.st_ino


def is_full(folder: Path) -> bool:
    """Whether there is no room left on the disk of a folder."""
    try:
        return shutil.disk_usage(folder).free < LITTLE
    except OSError:
        return False
