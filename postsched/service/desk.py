"""What every use case works on: the database, the settings, the time and the person's zone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from postsched import wakeup
from postsched.domain.account import NAME, Account
from postsched.domain.errors import NotFound
from postsched.domain.nearest import did_you_mean
from postsched.domain.post import Post
from postsched.store import accounts as account_rows
from postsched.store import gone
from postsched.store import posts as post_rows
from postsched.store.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from postsched.config import Settings
    from postsched.planning.planner import Planner


UNSET = "give a public address of it instead, or name a place to put files under [media_host]"
"""What to do with a file that a network would have to fetch, where no media host is set."""
LARGEST_ID = 2**63 - 1
"""Beyond it no database has a number for a row."""


@dataclass(frozen=True, slots=True)
class Desk:
    """`now` gives the instant (UTC), `zone` is what a time without an offset is in. `host_fault`
    says why files can't be put at the media host and what to do, None if they can; `callback_fault`
    the same of callbacks, which can't be signed."""

    database: Database
    settings: Settings
    now: Callable[[], datetime]
    zone: ZoneInfo
    host_fault: Callable[[], str | None] = lambda: UNSET
    callback_fault: Callable[[], str | None] = lambda: None

    def tell(self) -> None:
        """Wake every running daemon: something that is due may have changed. After the commit."""
        if self.database.path is not None:  # else the server itself does, at the commit
            wakeup.tell(self.bells)

    @property
    def planner(self) -> Planner:
        """What makes the rows of deliveries to come."""
        from postsched.planning.planner import planner_of

        return planner_of(self.settings, self.zone)

    @property
    def bells(self) -> Path:
        """The folder with the bells of the daemons."""
        return wakeup.folder_for(self.settings)


def posts_named(connection: Connection, ids: Sequence[int]) -> list[Post]:
    """The posts of those ids, each once, in the order given. Raises NotFound for the first that
    does not exist."""
    wanted = list(dict.fromkeys(ids))
    found = post_rows.get(connection, [post_id for post_id in wanted if 0 < post_id <= LARGEST_ID])
    for post_id in wanted:
        if post_id not in found:
            raise _not_there(connection, post_id)
    return [found[post_id] for post_id in wanted]


def _not_there(connection: Connection, post_id: int) -> NotFound:
    left = gone.get(connection, post_id) if 0 < post_id <= LARGEST_ID else None
    if left is None:
        return NotFound(f"there is no post {post_id}", "See them with: postsched list --all")
    sentence = f"post {post_id} was over for long, and has left the database"
    if left.file is None:
        return NotFound(sentence, "It was not archived (archive = false)")
    return NotFound(
        f"{sentence}: it is in the archive, in {left.file}",
        f"Read it: postsched show {post_id} --json",
    )


def accounts_named(connection: Connection, names: Iterable[str]) -> list[Account]:
    """The accounts of those names, groups spread out. Raises NotFound for an unknown one."""
    known = {account.name: account for account in account_rows.every(connection)}
    groups = {group.name: group.accounts for group in account_rows.all_groups(connection)}
    found: dict[str, Account] = {}
    for name in names:
        members = (name,) if name in known else groups.get(name)
        if members is None:
            raise unknown_account(name, [*known, *groups])
        found.update({member: known[member] for member in members})
    return list(found.values())


def unknown_account(name: str, known: Sequence[str]) -> NotFound:
    """The error for a name that is neither an account nor a group."""
    if not known:
        new = name if NAME.fullmatch(name) else "NAME"
        hint = f"Add it: postsched account add {new} --platform PLATFORM (see: postsched platforms)"
    else:
        hint = did_you_mean(name, known) or f"There are: {', '.join(known)}"
    return NotFound(f"there is no account or group {name!r}", hint)
