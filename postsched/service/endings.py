"""Logins that end: which, when, what of theirs is due after it, and the one command that mends it.

All of it is read from the database, for `add` and `list` must be quick. An account that renews its
login by itself has no end there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from postsched.domain.account import Account, AccountState
from postsched.domain.errors import NotFound
from postsched.domain.when import describe
from postsched.store import accounts as account_rows

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from postsched.domain.secret import Secret

SOON = timedelta(days=7)
"""How long before a login ends there is a reminder, whether or not anything is due after it."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A login that ends, or is refused already (`end` is None); `due` is the first that waits for
    it and is due after the end, if there is one."""

    account: Account
    end: datetime | None
    due: datetime | None = None


def before(accounts: Iterable[Account], due: datetime | None) -> list[Ending]:
    """Those of the accounts whose login will have ended when something is due, or is refused."""
    found = []
    for account in accounts:
        if account.state is AccountState.LOGIN:
            found.append(Ending(account, None))
        elif due is not None and (end := account.token_expires_at) is not None and end <= due:
            found.append(Ending(account, end, due))
    return found


def of_waiting(connection: Connection) -> list[Ending]:
    """The accounts whose login will have ended when something of theirs is due."""
    found = account_rows.due_after_end(connection)
    return [Ending(account, account.token_expires_at, due) for account, due in found]


def is_soon(end: datetime | None, now: datetime) -> bool:
    """Whether a login ends within seven days, or has ended."""
    return end is not None and end <= now + SOON


def sentence(ending: Ending, now: datetime, zone: ZoneInfo) -> str:
    """What to know and what to do, in one line."""
    return f"{words(ending, now, zone)}; log in again: {command_of(ending.account)}"


def remedy(ending: Ending) -> str:
    """What to do."""
    return f"Log in again: {command_of(ending.account)}"


def words(ending: Ending, now: datetime, zone: ZoneInfo) -> str:
    """What to know."""
    account, end, due = ending.account, ending.end, ending.due
    if end is None:
        said = f"the login of {account.name} is refused, and its posts wait"
    else:
        ended = "ended" if end <= now else "ends"
        said = f"the login of {account.name} {ended} {describe(end, now, zone)}"
    if due is not None:
        said += f", before what is due {describe(due, now, zone)}"
    return said


def sentences(endings: Sequence[Ending], now: datetime, zone: ZoneInfo) -> list[str]:
    """One line for each."""
    return [sentence(ending, now, zone) for ending in endings]


def command_of(account: Account) -> str:
    """The one command that gives the account a login that works."""
    from postsched import platforms  # what `add` and `list` rarely need
    from postsched.login import command

    try:
        return command(account, platforms.get(account.platform))
    except NotFound:
        return command(account, None)


def end_of(
    secret: Secret | None, facts: Mapping[str, Any], *, in_environment: bool
) -> datetime | None:
    """When a login that was checked ends (UTC), as its network (`facts["token_expires_at"]`) or its
    secret says; None where it is renewed by itself or nobody says."""
    written = facts.get("token_expires_at")
    try:
        end = datetime.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        end = None
    if end is not None and end.tzinfo is not None:
        return end.astimezone(UTC)
    if secret is None:
        return None
    from postsched.login import ends

    return ends(secret, renewed=not in_environment)
