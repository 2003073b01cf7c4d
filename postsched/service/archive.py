"""The file that a backup is: a ZIP with the database, its media, and a note of what is in it.

`backup.json` (the note: format, when and by which version it was made, SHA-256 of the database),
`postsched.db`, and `media/SHA256` for each media file. Nothing else, and no secrets. A name in an
archive is never used as a path: what is not one of these is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from postsched.disk import flush_folder
from postsched.domain.errors import InvalidInput

FORMAT = "postsched-backup"
VERSION = 1
NOTE, DATABASE = "backup.json", "postsched.db"
MEDIUM = re.compile(r"media/([0-9a-f]{64})")
LARGEST_NOTE = 100_000
BLOCK = 1 << 20
NAME_ONE = "Name a file that postsched backup has made"


@dataclass(frozen=True, slots=True)
class Note:
    """What an archive says of itself. `created_at` is UTC."""

    created_at: datetime
    made_by: str
    database_sha256: str


def write(
    target: Path, database: Path, media: Iterable[tuple[str, Path]], note: Note, *, replace: bool
) -> None:
    """Write an archive: durably, under its name only when it is complete, and readable by its
    owner only.

    Raises OSError; FileExistsError if the file is there already and not to be replaced.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            with zipfile.ZipFile(file, "w") as archive:
                _add(archive, NOTE, _described(note), zipfile.ZIP_STORED)
                with database.open("rb") as content:
                    _add(archive, DATABASE, content, zipfile.ZIP_DEFLATED)
                for digest, path in media:
                    with path.open("rb") as content:
                        _add(archive, f"media/{digest}", content, zipfile.ZIP_STORED)
            file.flush()
            os.fsync(file.fileno())
        give_name(temporary, target, replace=replace)
        flush_folder(target.parent)
    finally:
        with suppress(OSError):
            temporary.unlink()


def exists_already(target: Path) -> InvalidInput:
    """The refusal to write over a file."""
    return InvalidInput(f"{target} is there already", "Name another, or say --force to replace it")


def _described(note: Note) -> IO[bytes]:
    document = {
        "format": FORMAT,
        "version": VERSION,
        "created_at": note.created_at.isoformat().replace("+00:00", "Z"),
        "made_by": note.made_by,
        "database_sha256": note.database_sha256,
    }
    return io.BytesIO(json.dumps(document, indent=2).encode())


def _add(archive: zipfile.ZipFile, name: str, content: IO[bytes], compression: int) -> None:
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = compression
    info.external_attr = 0o600 << 16
    with archive.open(info, "w", force_zip64=True) as file:
        shutil.copyfileobj(content, file, BLOCK)


def give_name(temporary: Path, target: Path, *, replace: bool) -> None:
    """Give the file its name. Where it may not replace another, as a second link to it, for that
    fails if there is one; where there are no links, by looking first."""
    if replace:
        temporary.replace(target)
        return
    try:
        target.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:
        if target.exists():
            raise FileExistsError(target) from None
        temporary.rename(target)


class Archive:
    """An archive that is being read, whose list of contents is sound.

    Raises InvalidInput for what is no backup, one that is damaged, and one of a newer version.
    """

    def __init__(self, file: zipfile.ZipFile, name: Path) -> None:
        self._file, self._name = file, name
        names = file.namelist()
        if NOTE not in names or DATABASE not in names or len(set(names)) != len(names):
            raise no_backup(name)
        media = {entry: MEDIUM.fullmatch(entry) for entry in names if entry not in (NOTE, DATABASE)}
        stranger = next((entry for entry, match in media.items() if match is None), None)
        if stranger is not None:
            raise InvalidInput(f"{name} holds {stranger[:100]!r}, which no backup has", NAME_ONE)
        self.media = [match[1] for match in media.values() if match]
        self.note = self._read_note()

    def _read_note(self) -> Note:
        with self._reading(), self._file.open(NOTE) as file:
            text = file.read(LARGEST_NOTE)
        try:
            found = json.loads(text)
            if found["format"] != FORMAT:
                raise no_backup(self._name)
            if found["version"] > VERSION:
                raise InvalidInput(
                    f"{self._name} was made by a newer postsched ({found['made_by']})",
                    "Upgrade postsched (pip install -U postsched)",
                )
            created = datetime.fromisoformat(found["created_at"]).astimezone(UTC)
            return Note(created, str(found["made_by"]), str(found["database_sha256"]))
        except (ValueError, KeyError, TypeError) as error:
            raise no_backup(self._name) from error

    def unpack_database(self, target: Path) -> None:
        """Write the database to a new file, durably."""
        digest = hashlib.sha256()
        with self._reading(), self._file.open(DATABASE) as content, target.open("xb") as file:
            target.chmod(0o600)
            while block := content.read(BLOCK):
                digest.update(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != self.note.database_sha256:
            raise self._damaged()

    def check_media(self) -> None:
        """Read all media, and compare each with its name."""
        for digest in self.media:
            found = hashlib.sha256()
            with self.medium(digest) as content:
                while block := content.read(BLOCK):
                    found.update(block)
            if found.hexdigest() != digest:
                raise self._damaged()

    @contextmanager
    def medium(self, digest: str) -> Iterator[IO[bytes]]:
        """One media file."""
        with self._reading(), self._file.open(f"media/{digest}") as content:
            yield content

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Turn what zipfile says of damage, in its many ways, into a sentence."""
        try:
            yield
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as why:
            raise self._damaged() from why

    def _damaged(self) -> InvalidInput:
        return InvalidInput(f"the backup {self._name} is damaged", "Use another copy of it")


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """An archive for reading. Raises InvalidInput if it can't be read, and as Archive does."""
    try:
        file = zipfile.ZipFile(path)
    except OSError as error:
        raise InvalidInput(f"{path} can't be read: {error.strerror}", NAME_ONE) from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise no_backup(path) from error
    with file:
        yield Archive(file, path)


def no_backup(path: Path) -> InvalidInput:
    """The refusal of a file that is something else."""
    return InvalidInput(f"{path} is no backup of postsched, or is cut off", NAME_ONE)
