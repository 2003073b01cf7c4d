"""Backup and restore: everything but the secrets, in one file and back.

A backup is one state of the database, whatever is going on, with the media that its posts name.
A restore looks at all of the backup before it touches anything, keeps what was there beside it,
and puts the content into the database in one transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from postsched import __version__, recognition, wakeup
from postsched.disk import flush_folder
from postsched.domain.errors import InvalidInput, NotAllowed, StoreUnavailable
from postsched.domain.post import Media
from postsched.media.kept import MediaStore
from postsched.recognition import Rewound
from postsched.service import archive, workplace
from postsched.service.archive import Archive, Note
from postsched.store import copies, workers
from postsched.store.copies import Summary
from postsched.store.opening import open_database

if TYPE_CHECKING:
    from postsched.config import Settings
    from postsched.service.desk import Desk

SIDE_FILES = ("-wal", "-shm")
"""What SQLite keeps beside a database file."""


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A backup that was made. `missing` are media files that posts name and that are gone or
    damaged: they are not in it."""

    file: Path
    created_at: datetime
    bytes: int
    accounts: int
    posts: int
    media: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """A backup that can be restored: what it holds, and what is in its place now (None: nothing
    that can be told)."""

    note: Note
    holds: Summary
    instead_of: Summary | None
    archive: Archive
    database: Path


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored. `kept` is the database that was there before. `rewound` says what may have
    gone out since the backup and is in doubt now; without `known`, that can't be told here. Of what
    is left, `overdue` deliveries became due since, `late` of which are past their grace."""

    kept: Path | None
    overdue: int
    late: int
    known: bool
    rewound: Rewound | None


def backup(desk: Desk, target: Path, *, replace: bool) -> BackedUp:
    """Copy everything into one file.

    Raises InvalidInput for a file that is there already (unless `replace`) or can't be taken,
    NotAllowed if it can't be written, StoreUnavailable if the database can't be read.
    """
    if desk.database.path is None:
        raise NotAllowed(
            "a database on a server is backed up by the server's own means (pg_dump)",
            "For a copy in one file: postsched copy URL FILE.db",
        )
    kept = MediaStore(desk.settings.media_folder)
    _refuse_target(target, desk.database.path, kept.folder, replace=replace)
    try:
        with workplace.beside(target) as folder:
            copy = folder / archive.DATABASE
            copies.copy(desk.database.path, copy)
            return _write(target, copy, kept, desk.now(), replace=replace)
    except FileExistsError as error:
        raise archive.exists_already(target) from error
    except OSError as error:
        raise NotAllowed(
            f"the backup {target} can't be written: {error.strerror}", "Name another place"
        ) from error


def _write(
    target: Path, database: Path, kept: MediaStore, now: datetime, *, replace: bool
) -> BackedUp:
    holds = copies.summary(database)
    assert holds is not None, "it is a copy of an open database"
    good, missing = _media_of(database, kept)
    with database.open("rb") as file:
        note = Note(now, __version__, hashlib.file_digest(file, "sha256").hexdigest())
    archive.write(target, database, good, note, replace=replace)
    size = target.stat().st_size
    return BackedUp(target, now, size, holds.accounts, holds.posts, len(good), tuple(missing))


def _refuse_target(target: Path, database: Path, media: Path, *, replace: bool) -> None:
    place = target.resolve()
    own = {database, *(database.with_name(database.name + end) for end in SIDE_FILES)}
    if place in own or place.is_relative_to(media.resolve()):
        raise InvalidInput(f"{target} belongs to the database itself", "Name another file")
    if target.is_dir():
        raise InvalidInput(f"{target} is a folder", "Name a file")
    if not place.parent.is_dir():
        raise InvalidInput(f"there is no folder {place.parent}", "Make it, or name another file")
    if target.exists() and not replace:
        raise archive.exists_already(target)


def _media_of(database: Path, kept: MediaStore) -> tuple[list[tuple[str, Path]], list[str]]:
    """The media that the posts of a database name: those that are as they were, and the others."""
    opened = open_database(str(database))
    try:
        with opened.read() as connection:
            digests = copies.digests(connection)
    finally:
        opened.close()
    good, missing = [], []
    for digest in digests:
        medium = Media(sha256=digest)
        try:
            kept.verify(medium)
        except StoreUnavailable:
            missing.append(digest)
        else:
            good.append((digest, kept.path_of(medium)))
    return good, missing


@contextmanager
def offered(file: Path, place: Path) -> Iterator[Offer]:
    """A backup, looked at in whole: it is sound, of a version that is known, and there is room
    for it beside the database, which is at `place` or will be. Nothing is changed yet.

    Raises InvalidInput for a file that is no good backup, NotAllowed while a worker lives,
    StoreUnavailable where the database's place can't be used.
    """
    _refuse_workers(place)
    if place.exists() and copies.is_foreign(place):
        raise StoreUnavailable(
            f"{place} is the database of another program", "Name another file with --db"
        )
    with ExitStack() as stack:
        opened = stack.enter_context(archive.opened(file))
        opened.check_media()
        try:
            database = stack.enter_context(workplace.beside(place)) / archive.DATABASE
            opened.unpack_database(database)
        except OSError as error:
            raise StoreUnavailable(
                f"the backup can't be unpacked to {place.parent}: {error.strerror}",
                "Put that right; nothing was changed",
            ) from error
        holds, present = _checked(database, file), copies.summary(place)
        yield Offer(opened.note, holds, present, opened, database)


def restore(offer: Offer, settings: Settings, place: Path, now: datetime) -> Restored:
    """Put a backup in the place of the database, whose content is kept beside it.

    Raises NotAllowed while a worker lives, StoreUnavailable; then the database is as it was.
    """
    media = MediaStore(settings.media_folder)
    for digest in offer.archive.media:
        with offer.archive.medium(digest) as content:
            media.put_back(content, digest)
    _refuse_workers(place)
    kept = _put(offer.database, place, now)
    database = open_database(str(place))
    try:
        tide = recognition.tide_of(database, settings.state_folder)
        known = bool(tide.read())
        rewound = recognition.recognise(database, tide, now)
        tide.close()
        with database.write() as connection:
            copies.strike_idle_workers(connection)
            holders = {worker.mark for worker in workers.every(connection)}
            overdue, late = copies.overdue(connection, now)
    finally:
        database.close()
    bells = wakeup.folder_of(place)
    for mark in wakeup.dead(bells):
        if mark not in holders:
            wakeup.remove(bells, mark)
    return Restored(kept, overdue, late, known, rewound)


def _refuse_workers(place: Path) -> None:
    count = len(wakeup.living(wakeup.folder_of(place)))
    if count:
        raise NotAllowed(
            f"postsched is running ({count} {'process' if count == 1 else 'processes'} on {place})",
            "Stop it, and restore then",
        )


def _checked(database: Path, file: Path) -> Summary:
    """What an unpacked database holds, once it is of this version."""
    try:
        open_database(str(database)).close()
        found, holds = copies.faults(database), copies.summary(database)
    except StoreUnavailable as error:
        said = error.message.replace(str(database), "in it")
        raise InvalidInput(f"the backup {file} can't be used: {said}", error.hint) from error
    if found or holds is None:
        raise InvalidInput(f"the database in {file} is damaged: {', '.join(found)}")
    return holds


def _put(new: Path, place: Path, now: datetime) -> Path | None:
    """Put a database in its place. What was there, if anything, is kept beside it."""
    if not place.exists() or place.stat().st_size == 0:
        open_database(str(place)).close()
        copies.put_content(new, place)
        return None
    aside = place.with_name(f"{place.name}.before-restore-{now:%Y%m%dT%H%M%SZ}")
    if aside.exists():
        raise NotAllowed(f"{aside} is there already", "Try again in a second")
    try:
        before = new.with_name("before.db")
        copies.copy(place, before)
        before.rename(aside)  # under its name only when it is complete
        copies.put_content(new, place)
    except StoreUnavailable as error:
        aside.unlink(missing_ok=True)
        if not copies.is_damage(error):
            raise
        _exchange(new, place, aside)
    flush_folder(place.parent)
    return aside


def _exchange(new: Path, place: Path, aside: Path) -> None:
    """Put a file in the place of one that is no database any more, so that nobody can be using
    it: its log goes first, or it would be applied to the new one."""
    aside.hardlink_to(place)
    for end in SIDE_FILES:
        log = place.with_name(place.name + end)
        if log.exists():
            log.rename(aside.with_name(aside.name + end))
    new.replace(place)
