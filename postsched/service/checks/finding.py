"""What was found, and what it was found at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from postsched.config import Settings
    from postsched.secrets import Secrets
    from postsched.store.database import Database
    from postsched.store.workers import Worker


class State(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """Works, but somebody should know."""
    PROBLEM = "problem"
    """Something does not work, or will not when it is needed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what it is and what to do about it."""

    check: str
    state: State
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What is looked at. `place` is the database file; `database` is None where there is none yet,
    or none that can be opened. `living` are the workers that live, of the `silent` ones nothing is
    heard, `dead` is how many ended without signing off; `now` gives the instant (UTC)."""

    settings: Settings
    place: Path | None
    database: Database | None
    secrets: Secrets
    now: Callable[[], datetime]
    zone: Callable[[], ZoneInfo]
    living: tuple[Worker, ...] = ()
    silent: tuple[Worker, ...] = ()
    dead: int = 0

    @property
    def is_on_server(self) -> bool:
        """Whether the database is on a server, where workers may be on any host."""
        return self.place is None

    def named(self, worker: Worker) -> str:
        """What to call a worker."""
        return f"process {worker.pid}{f' on {worker.host}' if self.is_on_server else ''}"


def ok(check: str, message: str) -> Finding:
    """Nothing to do."""
    return Finding(check, State.OK, message)


def warning(check: str, message: str, hint: str | None = None) -> Finding:
    """Something to know."""
    return Finding(check, State.WARNING, message, hint)


def problem(check: str, message: str, hint: str | None = None) -> Finding:
    """Something to do."""
    return Finding(check, State.PROBLEM, message, hint)


def counted(count: int, name: str, plural: str | None = None) -> str:
    """How many of them there are: 1 post, 2 posts."""
    return f"{count} {name}" if count == 1 else f"{count} {plural or name + 's'}"


def megabytes(size: int) -> str:
    """So many bytes, for people."""
    for unit, name in ((10**9, "GB"), (10**6, "MB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size / 1000:.0f} kB"
