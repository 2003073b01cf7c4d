"""What can go wrong, by what the user can do about it.

Every error carries one sentence saying what and where, and a hint saying what to do. The errors
know nothing of the command line; it turns each class into an exit code.
"""

from __future__ import annotations


def advised(message: str, hint: str | None) -> str:
    """What is wrong and what to do, as sentences; a server's own words may end with a stop."""
    return f"{message.rstrip('.')}. {hint}" if hint else message


class PostschedError(Exception):
    """The base of every error that postsched reports to its user."""

    field: str | None = None
    """The name in "Posts as data" of what is at fault, where there is one."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return advised(self.message, self.hint)


class InvalidInput(PostschedError):
    """What the user gave can't be taken: to be corrected and given again."""


class NotFound(PostschedError):
    """An account, group, platform or post of that name or number does not exist."""


class NotAllowed(PostschedError):
    """The state of the thing doesn't allow what was asked, or the work itself failed."""


class Forbidden(NotAllowed):
    """Whoever asks may not do that; somebody else may."""


class StoreUnavailable(PostschedError):
    """The database can't be used: locked, read-only, full, damaged, of a newer version."""


class StoreBusy(StoreUnavailable):
    """The database is locked by another process just now; the same call may succeed later."""


class StoreInDoubt(StoreUnavailable):
    """The connection was lost while a change was committed: it may be there or not."""


class StoreMoved(StoreUnavailable):
    """The database has moved to another place: nothing may be written to it here."""


class StoreRefused(StoreUnavailable):
    """What was to be written breaks the database's rules: the same is never taken."""


class SecretUnavailable(PostschedError):
    """The keyring can't be used, or holds no secret for the account."""
