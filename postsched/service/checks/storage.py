"""The database file, the disk under it, and the media beside it."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from postsched import __version__, recognition
from postsched.domain.delivery import DeliveryStatus
from postsched.domain.errors import StoreUnavailable
from postsched.domain.post import Media
from postsched.media.kept import MediaStore
from postsched.service import workplace
from postsched.service.checks.finding import (
    Finding,
    Subject,
    counted,
    megabytes,
    ok,
    problem,
    warning,
)
from postsched.store import age, copies
from postsched.store.database import Database
from postsched.store.place import expect_no_log, log_of
from postsched.store.sqlite import SQLITE

SCARCE, TOO_SCARCE = 200_000_000, 20_000_000
"""Bytes free on a disk below which there is a warning, and a problem."""
LONG_LOG = 256_000_000
"""Bytes from which the write-ahead log is worth a word: something keeps it from being emptied."""


def database_findings(subject: Subject) -> Iterator[Finding]:
    """Whether it is sound, and nobody else can read it."""
    python = ".".join(map(str, sys.version_info[:3]))
    versions = f"postsched {__version__}, Python {python}, SQLite {SQLITE}"
    yield ok("versions", versions)
    place = subject.place
    if place is not None and not os.path.exists(place):
        yield _not_there(place)
    if subject.database is None:
        return
    yield from _moved_findings(subject.database)
    if place is None:
        yield from _copy_findings(subject, subject.database)
        return
    holds = copies.summary(place)
    size = megabytes(place.stat().st_size)
    posts = f", {counted(holds.posts, 'post')}" if holds else ""
    yield ok("database", f"{place}, {size}{posts}")
    yield _integrity(place)
    yield from _copy_findings(subject, subject.database)
    yield from _log_findings(place)
    yield from _left_findings(place)
    yield from _permission_findings(place)


def _moved_findings(database: Database) -> Iterator[Finding]:
    if database.moved:
        said = database.moved.refusal(database.name)
        yield problem("database", said.message, said.hint)


def _not_there(place: Path) -> Finding:
    folder = _existing(place.parent)
    if not os.access(folder, os.W_OK | os.X_OK):
        return problem(
            "database",
            f"{place} can't be made: you may not write to {folder}",
            "Check its permissions, or name another database with --db",
        )
    try:
        expect_no_log(place)
    except StoreUnavailable as error:
        return problem("database", error.message, error.hint)
    return ok("database", f"{place} is made when something is written")


def _integrity(place: Path) -> Finding:
    try:
        found = copies.faults(place)
    except StoreUnavailable as error:
        if not copies.is_damage(error):
            raise
        found = [str(error.__cause__)]
    if not found:
        return ok("integrity", "pages, indexes and references are sound")
    return problem(
        "integrity",
        f"the database is damaged: {'; '.join(found)}",
        "Stop postsched, and restore a backup: postsched restore FILE",
    )


def _copy_findings(subject: Subject, database: Database) -> Iterator[Finding]:
    """Whether it was put back to an earlier state, and what of that is not settled yet."""
    if behind := recognition.look(database, subject.settings.state_folder):
        count, upto = behind
        yield problem(
            "copy",
            "the database is a copy from before: more was sent from it, up to "
            f"{upto.astimezone(subject.zone()):%Y-%m-%d %H:%M}. The next postsched run or "
            f"publish-due puts {counted(count, 'delivery', 'deliveries')} that may be out in doubt",
            "Put the newest database in its place, if there is one; else go on",
        )
    with database.read() as connection:
        doubtful = age.count_doubtful(connection)
    if count := doubtful.get(DeliveryStatus.CONFIRMING, 0):
        yield warning(
            "copy",
            f"the database was put back to an earlier state: of {counted(count, 'post')} the "
            "network is asked whether it is out",
        )
    if count := doubtful.get(DeliveryStatus.UNCONFIRMED, 0):
        yield problem(
            "copy",
            f"the database was put back to an earlier state, and {counted(count, 'post')} may be "
            "out",
            "Look at the accounts, then: postsched resolve ID published|absent "
            "(postsched list --status unconfirmed)",
        )


def _log_findings(place: Path) -> Iterator[Finding]:
    log = log_of(place)
    if log.exists() and log.stat().st_size > LONG_LOG:
        yield warning(
            "log",
            f"the write-ahead log has grown to {megabytes(log.stat().st_size)}",
            "Something reads from the database for long; end it, and it shrinks by itself",
        )


def _left_findings(place: Path) -> Iterator[Finding]:
    for folder in workplace.left_beside(place):
        yield warning(
            "left behind",
            f"a restore that was killed has left a copy of its backup in {folder}",
            f"rm -r {shlex.quote(str(folder))}",
        )


def _permission_findings(place: Path) -> Iterator[Finding]:
    if os.name == "nt":
        return
    files = [place, *(place.with_name(place.name + end) for end in ("-wal", "-shm"))]
    modes = {file: stat.S_IMODE(file.stat().st_mode) for file in files if file.exists()}
    if not modes.get(place, 0) & 0o077:
        yield ok("permissions", "only you can read the database")
        return
    yield warning(
        "permissions",
        f"others can read the database (mode {modes[place]:o})",
        f"chmod 600 {' '.join(shlex.quote(str(file)) for file in modes)}",
    )


def disk_findings(subject: Subject) -> Iterator[Finding]:
    """Room for the database and for media."""
    places = {"database": subject.place.parent if subject.place else None}
    places["media"] = subject.settings.media_dir or None
    for name, folder in places.items():
        if folder is None:
            continue
        free = shutil.disk_usage(_existing(folder)).free
        said = f"{megabytes(free)} free for the {name} in {folder}"
        if free < TOO_SCARCE:
            yield problem("disk", said, "Free some space: nothing can be written soon")
        elif free < SCARCE:
            yield warning("disk", said, "Free some space")
        else:
            yield ok("disk", said)


def media_findings(subject: Subject) -> Iterator[Finding]:
    """Whether the media of posts are there, and may be written."""
    folder = subject.settings.media_folder
    there = _existing(folder)
    if not os.access(there, os.R_OK | os.W_OK | os.X_OK):
        yield problem("media", f"{there} may not be used by you", "Check its permissions")
        return
    if subject.database is None:
        return
    with subject.database.read() as connection:
        digests = copies.digests(connection)
    kept = MediaStore(folder)
    gone = [digest for digest in digests if not kept.path_of(Media(sha256=digest)).is_file()]
    if not digests and subject.settings.media_fault:
        said, do = subject.settings.media_fault
        yield ok("media", f"{said}, and no post has any. For media: {do[:1].lower()}{do[1:]}")
    elif gone:
        yield problem(
            "media",
            f"{counted(len(gone), 'media file')} of {len(digests)} that posts name are gone from "
            f"{folder}",
            "Put them back from a backup, or edit the posts: see postsched list",
        )
    else:
        yield ok("media", f"{counted(len(digests), 'media file')} in {folder}")


def _existing(folder: Path) -> Path:
    """The folder, or the one above it that exists, as far as it may be seen."""
    while not os.path.exists(folder):  # Path.exists raises where it may not look
        folder = folder.parent
    return folder
