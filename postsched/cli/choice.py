"""Which posts or deliveries are wanted: the options of list, history and export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from postsched.cli.options import bound, names
from postsched.cli.program import Program
from postsched.domain.errors import InvalidInput

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from postsched.store.firing_rows import Among
    from postsched.store.reading import Filter

LIST_LIMIT = 50
MOST = 1_000_000_000

Status = Annotated[list[str] | None, typer.Option(metavar="STATUS", help="Only of this status.")]
From = Annotated[
    str | None, typer.Option("--from", metavar="WHEN", help="Not before this day or time.")
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="WHEN", help="Not after this day or time.")
]
OnlyTag = Annotated[str | None, typer.Option("--tag", metavar="TAG", help="Only with this tag.")]
Search = Annotated[
    str | None, typer.Option("--search", metavar="TEXT", help="Only with this in the text.")
]
Limit = Annotated[
    int | None,
    typer.Option("--limit", metavar="N", min=1, max=MOST, help="At the most so many (50)."),
]
Every = Annotated[bool, typer.Option("--all", help="Every one of every status.")]


def count(every: bool, limit: int | None) -> int | None:
    """How many are wanted, None for all."""
    return None if every and limit is None else limit or LIST_LIMIT


def filter_of(
    program: Program,
    connection: Connection,
    known: Sequence[str],
    status: list[str] | None,
    account: list[str] | None,
    since: str | None,
    until: str | None,
    tag: str | None,
    search: str | None,
) -> Filter:
    """What the options leave; `known` are the statuses there are.

    Raises InvalidInput for an unknown status or time, NotFound for an unknown account.
    """
    from postsched.store.reading import Filter

    wanted = names(status, "--status") or ()
    if unknown := [word for word in wanted if word not in known]:
        from postsched.domain.nearest import did_you_mean

        raise InvalidInput(f"there is no status {unknown[0]!r}", did_you_mean(unknown[0], known))
    accounts = names(account, "--account")
    return Filter(
        wanted,
        _ids(connection, accounts) if accounts else (),
        bound(program, since),
        bound(program, until, end=True),
        _words("--tag", tag),
        _words("--search", search),
    )


def among_of(connection: Connection, account: list[str] | None, tag: str | None) -> Among:
    """The firings that `--account` and `--tag` leave. Raises as `filter_of`."""
    from postsched.store.firing_rows import Among

    accounts = names(account, "--account")
    return Among(_ids(connection, accounts) if accounts else (), _words("--tag", tag))


def _ids(connection: Connection, accounts: Sequence[str]) -> list[int]:
    from postsched.service.desk import accounts_named

    return [account.id for account in accounts_named(connection, accounts)]


def _words(option: str, words: str | None) -> str | None:
    if words is None:
        return None
    from postsched.service.content import check_plain

    check_plain(option, words)
    if not words:
        raise InvalidInput(f"{option} is empty", "Say what to look for, or leave it out")
    return words
