"""What leaves the database, when, and where it is kept then: by the settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from postsched import platforms
from postsched.domain.errors import PostschedError
from postsched.store import accounts as account_rows
from postsched.store.leaving import Bounds

if TYPE_CHECKING:
    from postsched.config import Settings

LEAST = timedelta(days=35)
"""How long everything is kept at the least: longer than anything looks back."""
SPARE = timedelta(days=1)
"""How much longer than the longest of the networks' quotas looks back."""
HELD = 2
"""How many times as long what waits for a person is kept."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What was finished so long ago (`keep`; None: never) leaves, into the archive in `folder`, or
    for good where that is None and `archives` false."""

    keep: timedelta | None
    archives: bool = True
    folder: Path | None = None

    @property
    def why_not(self) -> str | None:
        """Why nothing leaves, None if it does."""
        if self.keep is None:
            return "everything is kept for ever (keep)"
        if self.archives and self.folder is None:
            return "with PostgreSQL there is no folder for the archive: set archive_dir"
        return None

    def bounds(self, now: datetime, looks_back: timedelta) -> Bounds | None:
        """What is old enough at that instant (UTC), where quotas look back so far; None if nothing
        can be."""
        if self.why_not is not None or self.keep is None:
            return None
        span = max(self.keep, LEAST, looks_back + SPARE)
        try:
            return Bounds(now - span, now - HELD * span)
        except OverflowError:
            return None


def policy_of(settings: Settings) -> Policy:
    """What the settings say."""
    folder = settings.archive_folder if settings.archive else None
    return Policy(settings.keep, settings.archive, folder)


def looks_back(connection: Connection, settings: Settings) -> timedelta:
    """How far the longest of the networks' quotas looks back, for the accounts that there are."""
    found = [timedelta(0)]
    for account in account_rows.every(connection):
        if rate := settings.platform(account.platform).rate:
            found.append(rate.per)
        try:
            quotas = platforms.capabilities(account.platform, account.facts).quotas
        except PostschedError:  # a plug-in that is gone sends nothing
            continue
        found += [quota.per for quota in quotas]
    return max(found)
