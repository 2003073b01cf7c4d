"""Options that several commands share, and how their values are read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from postsched.cli.completion import complete_account, complete_post
from postsched.domain.errors import InvalidInput

if TYPE_CHECKING:
    from postsched.cli.program import Program

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
    str | None,
    typer.Option(
        "--account", metavar="NAME", help="Only this account.", autocompletion=complete_account
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


def instant(program: Program, text: str | None) -> datetime | None:
    """An instant a person named, past ones too; a bare date means its first moment."""
    if text is None:
        return None
    from postsched.domain.when import PastTime, understand

    try:
        day = datetime.strptime(text.strip(), "%Y-%m-%d")  # noqa: DTZ007 - the zone comes next
    except ValueError:
        pass
    else:
        return day.replace(tzinfo=program.zone).astimezone(UTC)
    try:
        return understand(text, program.now(), program.zone).instant
    except PastTime as past:
        return past.moment.instant


def keys_and_values(items: Iterable[str] | None, option: str) -> dict[str, str]:
    """The pairs of a repeated `KEY=VALUE` option."""
    pairs: dict[str, str] = {}
    for item in items or ():
        key, equals, value = item.partition("=")
        if not equals or not key:
            raise InvalidInput(f"{option} {item!r} is not KEY=VALUE", "Write it like key=value")
        pairs[key] = value
    return pairs
