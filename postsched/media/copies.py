"""Copies of pictures that were made to fit a network, beside the kept files.

They are named by the original's SHA-256 and by the rules they were made for; made again where they
are gone, so they are in no backup.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from postsched.domain.capabilities import MediaRules
from postsched.domain.errors import InvalidInput
from postsched.domain.post import Media
from postsched.media.kept import MediaStore
from postsched.media.original import describe
from postsched.media.redrawn import VERSION
from postsched.media.sniff import SUFFIXES

_FLAT = "-flat"
"""In the name of a copy that is white where the original is transparent."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy: its MIME type, size in bytes and in pixels; its content, or where it is kept. `flat`:
    what was transparent is white."""

    kind: str
    size: int
    width: int
    height: int
    content: bytes | None = None
    file: Path | None = None
    flat: bool = False

    @property
    def medium(self) -> Media:
        """The copy as a medium of its own."""
        return Media(type=self.kind, bytes=self.size, width=self.width, height=self.height)


class Copies:
    """The copies beside the files of a store; with `keep=False` only those that are there."""

    def __init__(self, store: MediaStore, *, keep: bool = True) -> None:
        self._store, self._keeps = store, keep

    def name(self, medium: Media, rules: MediaRules) -> str | None:
        """What a copy of a medium is called, but for its ending; None if it is not kept."""
        return f"{medium.sha256}-{_fingerprint(rules)}" if medium.sha256 else None

    def find(self, name: str) -> Copy | None:
        """The copy of that name, None if there is none that is whole."""
        for kind in ("image/jpeg", "image/png", "image/webp", "image/gif"):
            for flat in (False, True):
                path = self._path(name, kind, flat=flat)
                if path.is_file() and (copy := _read(path, flat=flat)):
                    return copy
        return None

    def keep(self, name: str, copy: Copy) -> Copy:
        """Keep a new copy. Raises StoreUnavailable if it can't be written."""
        assert copy.content is not None
        if not self._keeps:
            return copy
        path = self._path(name, copy.kind, flat=copy.flat)
        self._store.write_copy(path, copy.content)
        return replace(copy, content=None, file=path)

    def _path(self, name: str, kind: str, *, flat: bool) -> Path:
        return self._store.copies / f"{name}{_FLAT if flat else ''}.{SUFFIXES[kind][0]}"


def _read(path: Path, *, flat: bool) -> Copy | None:
    try:
        with path.open("rb") as file:
            found = describe(file, path.name)
    except (InvalidInput, OSError):
        return None
    if not (found.type and found.bytes and found.width and found.height):
        return None
    return Copy(found.type, found.bytes, found.width, found.height, file=path, flat=flat)


def _fingerprint(rules: MediaRules) -> str:
    """A short name for those of the rules by which a picture is drawn."""
    types = sorted((kind, size) for kind, size in rules.types.items() if not _is_film(kind))
    limits = (rules.max_pixels, rules.picture.max_width, rules.picture.max_height)
    facts = (VERSION, types, limits, rules.picture.max_sides)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]


def _is_film(kind: str) -> bool:
    return kind.startswith(("video/", "audio/", "application/"))
