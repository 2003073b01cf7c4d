"""The file that a person names: opening it, and what it is; a sentence for whatever is wrong."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from postsched.domain.errors import InvalidInput
from postsched.domain.post import Media
from postsched.media.sniff import HEAD, SUFFIXES, contradiction, media_type, pixels
from postsched.media.whole import is_whole

BLOCK = 1 << 20
LARGEST_PICTURE = 100_000_000
"""Bytes: a picture is read as a whole."""


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file, open for reading; raises InvalidInput if there is none or it can't be read."""
    try:
        mode = path.stat().st_mode  # before opening: opening a pipe waits, and a tape rewinds
        if stat.S_ISREG(mode):
            file = path.open("rb")
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        raise InvalidInput(f"{shown(path)} is {what}", "Give a picture, film or sound file")
    with file:
        yield file


def blocks(file: BinaryIO, path: Path) -> Iterator[bytes]:
    """All of an open file in pieces; raises InvalidInput if it can't be read to its end, or is
    changed by someone meanwhile."""
    before = _version(file)
    file.seek(0)
    try:
        while block := file.read(BLOCK):
            yield block
    except OSError as error:
        raise unreadable(path, error) from error
    if _version(file) != before:
        raise InvalidInput(f"{shown(path)} was changed while it was read", "Try again")


def describe(file: BinaryIO, name: str) -> Media:
    """What an open file is; raises InvalidInput if it is empty, cut off or not what `name` says."""
    kind, size = _glance(file, name)
    if kind and not is_whole(file, kind):
        raise InvalidInput(
            f"{shown(name)} is not whole: it is cut off", "Save or download it again"
        )
    width, height = (kind and pixels(file, kind)) or (None, None)
    return Media(path=name, type=kind, bytes=size, width=width, height=height)


def _glance(file: BinaryIO, name: str) -> tuple[str | None, int]:
    """The MIME type and the size of an open file; raises InvalidInput for what its size and its
    first bytes tell already."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if not size:
        raise InvalidInput(f"{shown(name)} is empty", "Give a file with something in it")
    kind = media_type(file.read(HEAD), name)
    file.seek(0)
    named = contradiction(kind, name)
    if named:
        raise InvalidInput(
            f"{shown(name)} is not what its name says: not {named}, but {kind or 'something else'}",
            f"Name it .{SUFFIXES[kind][0]}" if kind in SUFFIXES else "Give the file that is meant",
        )
    if (kind or "").startswith("image/") and size > LARGEST_PICTURE:
        excess = f"more than the {LARGEST_PICTURE:,} that a picture may have"
        raise InvalidInput(f"{shown(name)} has {size:,} bytes, {excess}", "Export it smaller")
    return kind, size


def unreadable(path: Path, error: Exception) -> InvalidInput:
    """The error for a file that could not be opened or read."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return InvalidInput(f"there is no file {shown(path)}", "Look at its name and folder")
    reason = (isinstance(error, OSError) and error.strerror) or "its name is no file name"
    return InvalidInput(f"{shown(path)} can't be read: {reason}", "Give a file that you may read")


def shown(path: Path | str) -> str:
    """A path for a message of one line."""
    text = str(path)
    return text if text.isprintable() else repr(text)


def _version(file: BinaryIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns
