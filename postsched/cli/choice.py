"""Which posts or deliveries are wanted: the options of list, history and export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from postsched.cli.options import bound, names
from postsched.cli.program import Program

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
    from postsched.service import choice

    return choice.filter_of(
        connection,
        known,
        statuses=names(status, "--status") or (),
        accounts=names(account, "--account") or (),
        since=bound(program, since),
        until=bound(program, until, end=True),
        tag=tag,
        search=search,
        prefix="--",
    )


def among_of(connection: Connection, account: list[str] | None, tag: str | None) -> Among:
    """The firings that `--account` and `--tag` leave. Raises as `filter_of`."""
    from postsched.service import choice

    return choice.among_of(connection, names(account, "--account") or (), tag, "--")
