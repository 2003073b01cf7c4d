"""Keeping media files by their SHA-256, so that what happens to the original changes nothing.

A file lies in `ab/abcdef…` below one folder, readable by its owner only. It is there completely or
not at all: written beside its place, flushed to the disk, then renamed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import IO, BinaryIO

from postsched.disk import flush_folder
from postsched.domain.errors import InvalidInput, StoreUnavailable
from postsched.domain.post import Media
from postsched.media.original import BLOCK, blocks, describe, opened, shown, unreadable

_DIGEST = re.compile(r"[0-9a-f]{64}")
_NEW, _UNUSED = ".new-", ".unused-"
_COPY = re.compile(rf"({_DIGEST.pattern})-.+")


class MediaStore:
    """The files kept below `folder`, which is made when the first one comes. Processes may use
    the same folder at the same time. `fault` says why none may come and what to do."""

    def __init__(self, folder: Path, fault: tuple[str, str] | None = None) -> None:
        self.folder = folder
        self._fault = fault

    def keep(self, path: Path, name: str | None = None) -> Media:
        """Copy a file and say what it is; the same content twice is kept once.

        `name` is what it is called, if not as its path says. Raises InvalidInput for what is no
        usable file, StoreUnavailable if the copy can't be written; then nothing of it is left.
        """
        self._expect_a_place()
        with opened(path) as original, self._writing():
            _described(original, path, name)  # gigabytes need not be copied to be refused
            with self._new() as new:
                with new.open("r+b") as copy:
                    digest = _copy(blocks(original, path), copy)
                    media = describe(copy, name or path.name)
                    os.fsync(copy.fileno())
                self._put(new, digest)
        return replace(media, sha256=digest)

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """A file for what comes in from elsewhere and is then to be kept; it is gone at the end,
        at the latest with what is unused."""
        self._expect_a_place()
        with self._writing(), self._new() as new:
            try:
                yield new
            finally:
                new.unlink(missing_ok=True)

    def put_back(self, content: IO[bytes], digest: str) -> None:
        """Keep a content whose SHA-256 is known, from a backup. Raises InvalidInput if it is
        another, StoreUnavailable if it can't be written; then nothing of it is left."""
        self._expect_a_place()
        with self._writing(), self._new() as new:
            with new.open("r+b") as copy:
                if _copy(iter(lambda: content.read(BLOCK), b""), copy) != digest:
                    raise InvalidInput(f"the media file {digest} is damaged")
                os.fsync(copy.fileno())
            self._put(new, digest)

    def examine(self, path: Path, name: str | None = None) -> Media:
        """What `keep` would say of the file, without keeping it; raises InvalidInput as it does."""
        with opened(path) as original:
            media = _described(original, path, name)
            digest = hashlib.sha256()
            for block in blocks(original, path):
                digest.update(block)
        return replace(media, sha256=digest.hexdigest())

    def again(self, digest: str, name: str) -> Media | None:
        """A kept file, called so, which counts as kept just now; None if there is none."""
        place = self._place(digest)
        try:
            os.utime(place)
            with opened(place) as file:
                return replace(describe(file, name), sha256=digest)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unavailable(error) from error

    def path_of(self, media: Media) -> Path:
        """Where the kept file is; raises InvalidInput for media that is not kept (a URL)."""
        if not media.sha256 or not _DIGEST.fullmatch(media.sha256):
            raise InvalidInput(f"{shown(media.path or media.url or 'a file')} is not a kept file")
        return self._place(media.sha256)

    def _expect_a_place(self) -> None:
        if self._fault is not None:
            raise InvalidInput(*self._fault)

    @property
    def copies(self) -> Path:
        """The folder of the copies that were made to fit networks; they can be made again."""
        return self.folder / "fitted"

    def write_copy(self, place: Path, content: bytes) -> None:
        """Put a copy into the folder of copies. Raises StoreUnavailable if it can't be written."""
        with self._writing(), self._new() as new:
            with new.open("r+b") as copy:
                copy.write(content)
                copy.flush()
                os.fsync(copy.fileno())
            self._move(new, place)

    def verify(self, media: Media) -> None:
        """Raise StoreUnavailable if the kept file is gone or no longer what was kept."""
        path, name = self.path_of(media), shown(media.path or "a file")
        hint = f"Put it back as {path}, or edit the post"
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError as error:
            raise StoreUnavailable(f"the kept copy of {name} is gone", hint) from error
        except OSError as error:
            raise StoreUnavailable(
                f"the kept copy of {name} can't be read: {error.strerror}", hint
            ) from error
        if digest != media.sha256:
            raise StoreUnavailable(f"the kept copy of {name} is damaged", hint)

    def remove_unused(self, keep: Collection[str], before: datetime) -> int:
        """Remove the files whose SHA-256 is not in `keep`, with their copies, and say how many.

        Only what was kept before that instant (aware): a younger one may belong to a post that is
        just being written. What a process that died left behind goes too.
        """
        limit = before.timestamp()
        with self._writing():
            for left in self._named(self.folder, re.compile(re.escape(_NEW) + ".+")):
                _remove_older(left, limit)
            for aside in self._named(self.folder, re.compile(re.escape(_UNUSED) + _DIGEST.pattern)):
                self._remove(aside, aside.name.removeprefix(_UNUSED), keep, limit)
            for copy in self._named(self.copies, _COPY):
                if copy.name.partition("-")[0] not in keep:
                    _remove_older(copy, limit)
            removed = 0
            for digest in list(self.digests()):
                if digest not in keep:
                    removed += self._set_aside(digest, keep, limit)
            return removed

    def remove_these(self, digests: Collection[str], before: datetime) -> int:
        """The same for those files alone: no other is looked at."""
        limit = before.timestamp()
        with self._writing():
            for copy in self._named(self.copies, _COPY) if digests else ():
                if copy.name.partition("-")[0] in digests:
                    _remove_older(copy, limit)
            return sum(self._set_aside(digest, (), limit) for digest in digests)

    def digests(self) -> Iterator[str]:
        """The SHA-256 of each kept file."""
        for folder in self._named(self.folder, re.compile(r"[0-9a-f]{2}")):
            yield from (path.name for path in self._named(folder, _DIGEST))

    def _place(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest

    @contextmanager
    def _new(self) -> Iterator[Path]:
        """A file for what is written; where that is broken off, nothing of it is left."""
        _make_folder(self.folder)
        descriptor, name = tempfile.mkstemp(prefix=_NEW, dir=self.folder)
        os.close(descriptor)
        try:
            yield Path(name)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise

    def _put(self, new: Path, digest: str) -> None:
        """Put a file in its place, also over an older copy: so a damaged one is mended, and one
        that is about to be removed as unused is young again."""
        self._move(new, self._place(digest))

    @staticmethod
    def _move(new: Path, place: Path) -> None:
        _make_folder(place.parent)
        try:
            new.replace(place)
        except PermissionError:
            if os.name != "nt" or not place.exists():
                raise
            new.unlink()  # Windows doesn't replace a file that is being read
        flush_folder(place.parent)

    def _set_aside(self, digest: str, keep: Collection[str], limit: float) -> int:
        """Move a file out of its place before judging its age: so `keep` in another process is
        either seen here, or finds no file and puts a new one there."""
        place, aside = self._place(digest), self.folder / f"{_UNUSED}{digest}"
        with suppress(FileNotFoundError):
            if place.stat().st_mtime >= limit:
                return 0
            place.replace(aside)
            return self._remove(aside, digest, keep, limit)
        return 0

    def _remove(self, aside: Path, digest: str, keep: Collection[str], limit: float) -> int:
        with suppress(FileNotFoundError):
            if digest not in keep and aside.stat().st_mtime < limit:
                aside.unlink()
                return 1
            aside.replace(self._place(digest))
        return 0

    @staticmethod
    def _named(folder: Path, pattern: re.Pattern[str]) -> Iterator[Path]:
        with suppress(FileNotFoundError):
            yield from (path for path in sorted(folder.iterdir()) if pattern.fullmatch(path.name))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn what the system says of the folder into StoreUnavailable."""
        try:
            yield
        except OSError as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: OSError) -> StoreUnavailable:
        folder = shown(self.folder)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return StoreUnavailable(f"there is no room left in {folder}", "Make some room there")
        reason = error.strerror or type(error).__name__
        return StoreUnavailable(
            f"media can't be kept in {folder}: {reason}", "Put that right, or set media_dir"
        )


def _described(original: BinaryIO, path: Path, name: str | None) -> Media:
    """What a file of that path is; raises InvalidInput for what is no usable file."""
    try:
        return describe(original, name or path.name)
    except OSError as error:
        raise unreadable(path, error) from error


def _copy(source: Iterator[bytes], target: BinaryIO) -> str:
    """Copy, and give the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    for block in source:
        digest.update(block)
        target.write(block)
    target.flush()
    return digest.hexdigest()


def _make_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter, and what is missing above it."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    with suppress(FileExistsError):  # another process was faster, or it is a file: seen below
        folder.mkdir(mode=0o700)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    flush_folder(folder.parent)


def _remove_older(path: Path, limit: float) -> None:
    with suppress(FileNotFoundError):
        if path.stat().st_mtime < limit:
            path.unlink()
