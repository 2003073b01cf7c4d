"""The outbox's files: durable, whole or not there, the same key twice one file.

Several threads, processes and hosts may work on one folder. A file appears under its name by a
hard link from a finished, synced copy, so nobody ever sees half of one; leftovers of a killed
process lie in `.scratch` and go when the same file is written again.
"""

from __future__ import annotations

import errno
import hashlib
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from postsched.disk import flush_folder
from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import PlatformError

NO_LINKS = {errno.EPERM, errno.ENOSYS, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP}
"""What a file system without hard links answers (FAT, some network drives)."""
FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}

Build = Callable[[Path], Mapping[str, bytes]]
"""Makes the pages of a folder: file name -> content."""


class Folder:
    """One outbox folder. Every method blocks, and raises PlatformError where the file system
    refuses."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.posts = root / "posts"
        self.media = root / "media"
        self._scratch = root / ".scratch"
        self._dirty = root / ".dirty"
        self._lock = root / ".lock"

    def make(self) -> None:
        """Create the folder where it doesn't exist yet."""
        with self._said():
            try:
                self.root.mkdir(parents=True, exist_ok=True)
            except (FileExistsError, FileNotFoundError) as error:  # a file, or a place like /proc
                raise NotADirectoryError(errno.ENOTDIR, "no folder", str(self.root)) from error
            self._make_rooms()

    def require(self) -> None:
        """Refuse a folder that is gone: making a new one in its place (an unmounted disk, say)
        would put posts where nobody looks for them."""
        with self._said():
            if not self.root.is_dir():
                raise FileNotFoundError(errno.ENOENT, "gone", str(self.root))
            self._make_rooms()

    def add(self, stem: str, content: bytes) -> bool:
        """Write a post durably; False if a file of that name is there already, which is kept."""
        with self._said():
            return self._place(self.posts / f"{stem}.md", partial(_write, content))

    def content(self, stem: str) -> bytes | None:
        """The bytes of a post's file, None if there is none."""
        with self._said():
            try:
                return (self.posts / f"{stem}.md").read_bytes()
            except FileNotFoundError:
                return None

    def keep(self, source: Path, suffix: str) -> str:
        """Copy a media file under the name of its SHA-256; the name, relative to the folder."""
        with self._said(), source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            target = self.media / f"{digest[:32]}{suffix}"
            if target.exists():
                flush_folder(self.media)  # who placed it may have died before doing so
            else:
                file.seek(0)
                self._place(target, partial(_copy, file))
            return f"media/{target.name}"

    def remove(self, stem: str) -> None:
        """Remove a post's file; one that is gone already is no error."""
        with self._said():
            (self.posts / f"{stem}.md").unlink(missing_ok=True)
            flush_folder(self.posts)

    def refresh(self, build: Build) -> None:
        """Rebuild the pages, at least once after every call, seldom once for each.

        Who finds a rebuild running leaves a mark and goes; who rebuilds looks at the mark after
        letting go of the lock, so none is overlooked. On an error the mark stays for the next.
        """
        with self._said():
            self._dirty.touch()
            while self._dirty.exists():
                with _try_lock(self._lock) as locked:
                    if not locked:
                        return
                    self._rebuild(build)

    def _rebuild(self, build: Build) -> None:
        self._dirty.unlink(missing_ok=True)
        try:
            for name, content in build(self.root).items():
                with self._draft(name, partial(_write, content)) as draft:
                    os.replace(draft, self.root / name)
        except BaseException:
            self._dirty.touch()
            raise

    def _make_rooms(self) -> None:
        for room in (self.posts, self.media, self._scratch):
            if not room.is_dir():
                room.mkdir(exist_ok=True)
                flush_folder(self.root)

    def _place(self, target: Path, fill: Callable[[IO[bytes]], object]) -> bool:
        with self._draft(target.name, fill) as draft:
            placed = _link(draft, target)
        flush_folder(target.parent)
        return placed

    @contextmanager
    def _draft(self, name: str, fill: Callable[[IO[bytes]], object]) -> Iterator[Path]:
        """A finished, synced file of a name of its own; afterwards, what killed processes left of
        the same name is gone too. A living one that loses its draft finds the target in place."""
        draft = self._scratch / f"{name}.{uuid.uuid4().hex}"
        try:
            with draft.open("xb") as out:
                fill(out)
                out.flush()
                os.fsync(out.fileno())
            yield draft
        finally:
            draft.unlink(missing_ok=True)
        for left in self._scratch.iterdir():
            if left.name.startswith(f"{name}."):
                left.unlink(missing_ok=True)

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise refusal(error, self.root) from error


def refusal(error: OSError, root: Path) -> PlatformError:
    """What the file system said, for the user. A full disk and a vanished folder may mend
    themselves, a folder that must not be written needs a person."""
    place = f"the outbox folder {root}"
    if error.errno in FULL:
        return PlatformError(
            ErrorKind.TRANSIENT,
            f"{place} can't be written: the disk is full",
            hint="Free some space",
        )
    if error.errno in FORBIDDEN:
        return PlatformError(
            ErrorKind.PERMANENT,
            f"{place} can't be written: {os.strerror(error.errno or 0)}",
            hint="Make it writable for this user, then `postsched retry`",
        )
    if error.errno == errno.ENOTDIR:
        return PlatformError(ErrorKind.INVALID, f"{place} is no folder", hint="Set another `dir`")
    if not root.is_dir():
        return PlatformError(
            ErrorKind.TRANSIENT,
            f"{place} is gone",
            hint="Bring it back, or make a new one with `postsched account check`",
        )
    return PlatformError(ErrorKind.TRANSIENT, f"{place} can't be used: {error.strerror or error}")


def _link(draft: Path, target: Path) -> bool:
    try:
        os.link(draft, target)
    except FileExistsError:
        return False
    except FileNotFoundError:
        if target.exists():
            return False
        raise
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if target.exists():
            return False
        # Without links two processes may both come here; they place the same content.
        os.replace(draft, target)
    return True


def _write(content: bytes, out: IO[bytes]) -> None:
    out.write(content)


def _copy(source: IO[bytes], out: IO[bytes]) -> None:
    while block := source.read(1 << 20):
        out.write(block)


@contextmanager
def _try_lock(path: Path) -> Iterator[bool]:
    """Hold the lock if it is free; a process that dies lets go of it."""
    with path.open("ab") as file:
        try:
            _lock(file)
        except (BlockingIOError, PermissionError):  # held: POSIX says the first, Windows the second
            yield False
        else:
            yield True


if os.name == "nt":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        file.seek(0)
        # mypy reads it as on Linux, where msvcrt is empty
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
