"""Which posts or deliveries are wanted: names and words checked, and looked up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from postsched.domain.errors import InvalidInput
from postsched.service.content import check_plain
from postsched.service.desk import accounts_named
from postsched.store.reading import Filter

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from postsched.store.firing_rows import Among

DELIVERY_STATUSES = (
    "scheduled", "publishing", "confirming", "retrying", "published", "failed", "missed",
    "unconfirmed", "cancelled",
)  # fmt: skip
STATUSES = ("draft", "partial", *DELIVERY_STATUSES)
"""What posts can be looked for by: their own statuses, and those of their deliveries."""


def filter_of(
    connection: Connection,
    known: Sequence[str],
    *,
    statuses: Sequence[str] = (),
    accounts: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    tag: str | None = None,
    search: str | None = None,
    prefix: str = "",
) -> Filter:
    """What is left of all posts, or deliveries; `known` are the statuses there are, `accounts` may
    be groups. Errors name what is at fault with that prefix.

    Raises InvalidInput for an unknown status, NotFound for an unknown account.
    """
    if unknown := [word for word in statuses if word not in known]:
        from postsched.domain.nearest import did_you_mean

        raise InvalidInput(f"there is no status {unknown[0]!r}", did_you_mean(unknown[0], known))
    return Filter(
        tuple(statuses),
        _ids(connection, accounts),
        since,
        until,
        _words(prefix + "tag", tag),
        _words(prefix + "search", search),
    )


def among_of(
    connection: Connection,
    accounts: Sequence[str] = (),
    tag: str | None = None,
    prefix: str = "",
) -> Among:
    """The firings to those accounts or groups, with that tag. Raises as `filter_of`."""
    from postsched.store.firing_rows import Among

    return Among(_ids(connection, accounts), _words(prefix + "tag", tag))


def _ids(connection: Connection, accounts: Sequence[str]) -> Sequence[int]:
    if not accounts:
        return ()
    return [account.id for account in accounts_named(connection, accounts)]


def _words(name: str, words: str | None) -> str | None:
    if words is None:
        return None
    check_plain(name, words)
    if not words:
        raise InvalidInput(f"{name} is empty", "Say what to look for, or leave it out")
    return words
