"""The high-water mark: how far a database has come, noted outside of it, in the state folder.

A database that is put back from a backup, or merely copied back, does not know what was sent from
it since. Its mark does. A small file for each database, by its uid, says its age (`store.age`,
which every turn of the engine that writes raises) and the last instant up to which anything was
claimed. A database that is younger than its mark is a copy from before.

The order is: commit, mark, send. So the mark never says less than what was sent; and a process that
is killed between two of them leaves a database that is as old as its mark, or older, never one that
looks like a copy. The file is written at each such turn, which costs microseconds and outlives the
process; it reaches the disk before anything is sent, unless it did within the last second. A power
cut thus takes a second of it at the most: only a copy made within that second, and put back later,
would not be recognised. Several processes raise one mark, under a lock.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from postsched.disk import alone_with, flush_folder

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
HEAD = "postsched-mark-1"
SUFFIX = ".mark"
SYNC_EVERY = 1.0
"""Seconds for which what was written may be lost by a power cut."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far it has come: its age, and until when (UTC) anything was claimed."""

    age: int
    upto: datetime


class HighWater:
    """The mark of one database. The folder is made when it is first written to.

    Raises OSError where the file can't be used.
    """

    def __init__(self, folder: Path, uid: str) -> None:
        self.path = folder / f"{uid}{SUFFIX}"
        self._descriptor: int | None = None
        self._synced_at = float("-inf")

    def read(self) -> Mark | None:
        """What it says, None if there is none; raises ValueError if it holds something else."""
        try:
            return _parsed(self.path.read_bytes())
        except FileNotFoundError:
            return None

    def rise(self, age: int, upto: datetime) -> None:
        """Note that the database has come so far; what says more already stays."""
        descriptor = self._opened()
        with alone_with(descriptor):
            try:
                before = _parsed(os.pread(descriptor, 200, 0))
                age, upto = max(age, before.age), max(upto, before.upto)
            except ValueError:  # new, or nonsense, of which `read` has told
                os.ftruncate(descriptor, 0)
            micros = (upto - EPOCH) // MICROSECOND
            # Of one length, so that it is replaced in one piece.
            os.pwrite(descriptor, f"{HEAD} {age:020d} {micros:020d}\n".encode(), 0)
        now = time.monotonic()
        if now - self._synced_at >= SYNC_EVERY:
            os.fsync(descriptor)
            self._synced_at = now

    def close(self) -> None:
        """Have the file on the disk, and close it."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _opened(self) -> int:
        """The file; another one if somebody has removed it meanwhile."""
        if self._descriptor is not None:
            if os.fstat(self._descriptor).st_nlink:
                return self._descriptor
            os.close(self._descriptor)
            self._descriptor = None
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = not self.path.exists()
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        self._synced_at = float("-inf")
        if new:
            flush_folder(self.path.parent)
        return self._descriptor


def kept(folder: Path, uid: str) -> list[str]:
    """Of the marks of one database what their names have beside its uid, mostly nothing."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    ours = (name for name in names if name.startswith(uid) and name.endswith(SUFFIX))
    return sorted(name[len(uid) : -len(SUFFIX)] for name in ours)


def _parsed(content: bytes) -> Mark:
    head, age, micros = content.decode("ascii").split()
    if head != HEAD:
        raise ValueError(f"it begins with {head!r}")
    return Mark(int(age), EPOCH + int(micros) * MICROSECOND)
