"""What is long over, the archive it goes to, and the room that it leaves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from postsched.domain.duration import format_duration
from postsched.retention.policy import policy_of
from postsched.service.checks.finding import (
    Finding,
    Subject,
    counted,
    megabytes,
    ok,
    problem,
    warning,
)
from postsched.store import retention
from postsched.store.room import room

WORTH = 0.25
"""How much of the file may be free without a word."""
LARGE = 10_000_000
"""Bytes below which that is not worth a word either."""


def retention_findings(subject: Subject) -> Iterator[Finding]:
    """What may leave the database, and whether it can."""
    policy = policy_of(subject.settings)
    if policy.keep is None:
        yield ok("archive", f"{policy.why_not}")
    elif policy.why_not is not None:
        yield warning(
            "archive",
            f"nothing leaves the database: {policy.why_not}",
            "Set archive_dir, or archive = false",
        )
    elif subject.database is not None:
        with subject.database.read() as connection:
            count = retention.count(connection, subject.now() - policy.keep)
        over = f"over for {format_duration(policy.keep)}"
        where = f"the archive {policy.folder}" if policy.folder else "good"
        yield ok("archive", f"{counted(count, 'delivery', 'deliveries')} {over}: for {where}")
    if policy.folder is not None and policy.folder.exists():
        yield from _folder_findings(policy.folder)
    if subject.place is not None and subject.database is not None:
        yield from _room_findings(subject.place)


def _folder_findings(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield problem(
            "archive",
            f"{folder} can't be written by you: nothing leaves the database",
            "Put that right, or set archive_dir",
        )


def _room_findings(place: Path) -> Iterator[Finding]:
    found = room(place)
    if found.free > max(LARGE, WORTH * found.size):
        yield ok(
            "room",
            f"{megabytes(found.free)} of {megabytes(found.size)} in the database are free, for "
            "what comes next. While nothing runs, postsched prune makes it smaller",
        )
