"""The archive: one line of JSON for each post, in a file for each month in which they were over.

A line is on the disk before anything of it leaves the database. So a process that dies in between
leaves a line that comes again, under the same `uid`, and never a loss. Processes append under a
lock, and a line that was cut short by the end of one is taken away by the next: nothing of it has
left. The files are the user's: any may be moved, packed or removed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from postsched.disk import alone_with, flush_folder
from postsched.domain.errors import StoreUnavailable
from postsched.store.gone import file_of

BLOCK = 1 << 20
"""How much of a file's end is read at a time."""


class Archive:
    """The files below `folder`, which is made when the first line comes. Readable by their owner
    only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file_of(self, month: int) -> Path:
        """The file of a month, such as 202611."""
        return self.folder / file_of(month)

    def find(self, month: int, post_id: int) -> dict[str, Any] | None:
        """The line of a post that has left, None where it is not there (any more)."""
        mark, found = f'"complete":true,"id":{post_id},'.encode(), None
        with suppress(OSError, ValueError), self.file_of(month).open("rb") as file:
            for line in file:
                if mark in line:
                    found = json.loads(line)
        return found if found is None or found.get("id") == post_id else None

    def append(self, lines: Mapping[int, Sequence[Mapping[str, Any]]]) -> None:
        """Append documents to the files of their months; they are on the disk when it returns.

        Raises StoreUnavailable where that can't be; then no line is there in part.
        """
        try:
            _make_folder(self.folder)
            for month, documents in lines.items():
                text = "".join(f"{_line(document)}\n" for document in documents)
                _append(self.file_of(month), text.encode())
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise StoreUnavailable(
                f"the archive {self.folder} can't be written: {reason}",
                "Put that right, or set archive_dir; nothing was removed",
            ) from error


def _line(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _append(path: Path, text: bytes) -> None:
    new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with alone_with(descriptor):
            end = os.lseek(descriptor, 0, os.SEEK_END)
            start = _start_of_rest(descriptor, end)
            if _is_whole(descriptor, start, end):  # an editor has left its line open
                text, start = b"\n" + text, end
            try:
                os.ftruncate(descriptor, start)
                _write(descriptor, text, start)
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, start)
                raise
    finally:
        os.close(descriptor)
    if new:
        flush_folder(path.parent)


def _start_of_rest(descriptor: int, end: int) -> int:
    """Where that begins which has no end of line: the end, where all lines are whole."""
    while end > 0:
        start = max(0, end - BLOCK)
        found = _read(descriptor, start, end).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _is_whole(descriptor: int, start: int, end: int) -> bool:
    """Whether that is a document, and not one that was cut short when it was written."""
    if start == end:
        return False
    try:
        json.loads(_read(descriptor, start, end))
    except ValueError:
        return False
    return True


def _read(descriptor: int, start: int, end: int) -> bytes:
    os.lseek(descriptor, start, os.SEEK_SET)
    found = bytearray()
    while len(found) < end - start and (more := os.read(descriptor, end - start - len(found))):
        found += more
    return bytes(found)


def _write(descriptor: int, text: bytes, at: int) -> None:
    os.lseek(descriptor, at, os.SEEK_SET)
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    flush_folder(folder.parent)
