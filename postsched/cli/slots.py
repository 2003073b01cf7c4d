"""slots …: the weekly posting slots of accounts and groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from postsched.cli.completion import complete_account
from postsched.cli.group import Group
from postsched.cli.options import Json
from postsched.cli.program import Program
from postsched.cli.screen import Column

if TYPE_CHECKING:
    from datetime import time

    from postsched.store.slots import Owned

app = typer.Typer()
slots = typer.Typer(cls=Group, help="Weekly posting slots: add, list, remove.")
app.add_typer(slots, name="slots")

Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="An account or a group.", autocompletion=complete_account),
]
COLUMNS = (Column("NAME"), Column("DAYS"), Column("TIME"), Column("ZONE"), Column("NEXT"))


@slots.command(
    epilog="Examples:\n\npostsched slots add me mon-fri 09:00 17:30\n\n"
    "postsched slots add team sat,sun 11am --tz America/New_York"
)
def add(
    ctx: typer.Context,
    name: Name,
    days: Annotated[str, typer.Argument(metavar="DAYS", help="mon-fri, sat,sun or daily.")],
    times: Annotated[list[str], typer.Argument(metavar="TIME...", help="Times of day.")],
    tz: Annotated[
        str | None, typer.Option("--tz", metavar="ZONE", help="The time zone of the times.")
    ] = None,
    json: Json = False,
) -> None:
    """Add slots: a time on each of the days at each of the times."""
    from postsched.domain.weekdays import weekdays
    from postsched.domain.zones import zone_named
    from postsched.service import slots as service

    program: Program = ctx.obj
    zone = zone_named(tz) if tz is not None else program.zone
    there = service.add(program.desk, name, weekdays(days), _times(times), zone.key)
    _show(program, there, json=json)


@slots.command(
    name="list", epilog="Examples:\n\npostsched slots list\n\npostsched slots list me --json"
)
def list_(
    ctx: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="An account or a group.", autocompletion=complete_account
        ),
    ] = None,
    json: Json = False,
) -> None:
    """The slots, and when each comes next."""
    from postsched.service import slots as service

    program: Program = ctx.obj
    with program.database.read() as connection:
        found = service.of(connection, name)
    _show(program, found, json=json)


@slots.command(
    epilog="Examples:\n\npostsched slots remove me\n\npostsched slots remove me sat,sun\n\n"
    "postsched slots remove me mon-fri 17:30"
)
def remove(
    ctx: typer.Context,
    name: Name,
    days: Annotated[
        str | None, typer.Argument(metavar="[DAYS]", help="Only on these days.")
    ] = None,
    times: Annotated[
        list[str] | None, typer.Argument(metavar="[TIME]...", help="Only at these times.")
    ] = None,
    json: Json = False,
) -> None:
    """Remove slots; the posts in them keep their time."""
    from postsched.domain.weekdays import weekdays
    from postsched.service import slots as service

    program: Program = ctx.obj
    gone = service.remove(
        program.desk, name, weekdays(days) if days is not None else (), _times(times or ())
    )
    if gone.posts:
        sit, keep = ("post sits", "keeps its") if gone.posts == 1 else ("posts sit", "keep their")
        program.say(f"{gone.posts} {sit} in them and {keep} time. See: postsched queue")
    if not json:
        count = len(gone.slots)
        program.print(f"{count} slot{'' if count == 1 else 's'} of {name} removed")
        return
    with program.database.read() as connection:
        left = service.of(connection, name)
    _show(program, left, json=True)


def _times(words: Sequence[str]) -> list[time]:
    """The times of several words, each of which may be a comma list."""
    from postsched.domain.weekdays import clock

    return [clock(part) for word in words for part in word.split(",")]


def _show(program: Program, found: Sequence[Owned], *, json: bool) -> None:
    """Slots, those of the same time in one line, with when they come next."""
    from postsched.service.slots import slot_documents

    lines = slot_documents(found, program.now())
    if json:
        program.print_json(lines)
        return
    if not lines:
        program.print("There are no slots. Add some: postsched slots add NAME mon-fri 09:00 17:30")
        return
    from datetime import datetime

    from postsched.cli.render import short_time
    from postsched.domain.weekdays import day_names, weekdays

    rows = [
        (
            (line["name"], ""),
            (day_names(weekdays(",".join(line["days"]))), ""),
            (line["time"], ""),
            (line["tz"], ""),
            (short_time(datetime.fromisoformat(line["next"]), program.now(), program.zone), ""),
        )
        for line in lines
    ]
    program.show(program.screen.table(COLUMNS, rows))
