"""Options that several commands share, and how their values are read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from postsched.cli.completion import complete_account, complete_post
from postsched.domain.errors import InvalidInput

if TYPE_CHECKING:
    from postsched.cli.program import Program
    from postsched.service.deliveries import Which

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Ids = Annotated[
    list[int], typer.Argument(metavar="ID...", help="Posts.", autocompletion=complete_post)
]
OptionalIds = Annotated[
    list[int] | None,
    typer.Argument(metavar="[ID]...", help="Posts.", autocompletion=complete_post),
]
OneId = Annotated[int, typer.Argument(metavar="ID", help="A post.", autocompletion=complete_post)]
Account = Annotated[
    list[str] | None,
    typer.Option(
        "--account",
        metavar="NAME",
        help="Only these accounts or groups.",
        autocompletion=complete_account,
    ),
]
Occurrence = Annotated[
    str | None, typer.Option("--occurrence", metavar="WHEN", help="Only this occurrence.")
]
DeliveryId = Annotated[
    int | None, typer.Option("--delivery", metavar="N", help="Only this delivery.")
]


def split(values: Iterable[str] | None) -> tuple[str, ...]:
    """The names in repeated options and comma lists, each once, in order."""
    parts = (part.strip() for value in values or () for part in value.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def names(values: list[str] | None, option: str) -> tuple[str, ...] | None:
    """The same, None where the option is not given. Raises InvalidInput where it names nothing, as
    an unset variable in a script does."""
    if values is None:
        return None
    found = split(values)
    if not found:
        raise InvalidInput(f"{option} is empty", "Name something, or leave it out")
    return found


def which(
    program: Program, account: list[str] | None, occurrence: str | None, delivery: int | None
) -> Which:
    """The deliveries that `--account`, `--occurrence` and `--delivery` leave."""
    from postsched.service.deliveries import Which
    from postsched.service.desk import accounts_named

    wanted, accounts = names(account, "--account"), None
    if wanted is not None:
        with program.database.read() as connection:
            accounts = frozenset(one.name for one in accounts_named(connection, wanted))
    return Which(accounts, instant(program, occurrence), delivery)


def instant(program: Program, text: str | None) -> datetime | None:
    """An instant that a person named, past ones too."""
    if text is None:
        return None
    from postsched.domain import bounds

    return bounds.instant(text, program.now(), program.zone)


def bound(program: Program, text: str | None, *, end: bool = False) -> datetime | None:
    """The same, or a bare date: its first moment, or (`end`) its last."""
    if text is None:
        return None
    from postsched.domain import bounds

    return bounds.bound(text, program.now(), program.zone, end=end)


def keys_and_values(items: Iterable[str] | None, option: str) -> dict[str, str]:
    """The pairs of a repeated `KEY=VALUE` option."""
    pairs: dict[str, str] = {}
    for item in items or ():
        key, equals, value = item.partition("=")
        if not equals or not key:
            raise InvalidInput(f"{option} {item!r} is not KEY=VALUE", "Write it like key=value")
        pairs[key] = value
    return pairs
