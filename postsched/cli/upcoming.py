"""next: every firing to come, series expanded."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from postsched.cli.choice import OnlyTag, among_of
from postsched.cli.options import Account, Json
from postsched.cli.program import Program

if TYPE_CHECKING:
    from postsched.domain.firing import Firing

app = typer.Typer()
USUAL = 10
MOST = 100_000
MOST_DAYS = 3660
Count = Annotated[int | None, typer.Argument(metavar="[N]", min=1, max=MOST, help="How many (10).")]
Days = Annotated[
    int | None,
    typer.Option("--days", metavar="D", min=1, max=MOST_DAYS, help="All in so many days."),
]


@app.command(
    name="next",
    epilog="""Examples:

postsched next

postsched next 50 --account me

postsched next --days 7 --json

What is overdue comes first. N counts each account; those that get the same at the same time share
a line.""",
)
def next_(
    ctx: typer.Context,
    number: Count = None,
    days: Days = None,
    account: Account = None,
    tag: OnlyTag = None,
    json: Json = False,
) -> None:
    """Every firing to come, series expanded."""
    from postsched.service.firings import Outlook
    from postsched.store.firing_rows import FiringRows

    program: Program = ctx.obj
    program.expect_database()
    now = program.now()
    until = None if days is None else now + timedelta(days=days)
    most = number or (USUAL if days is None else MOST)
    with program.database.read() as connection:
        among = among_of(connection, account, tag)
        found = list(
            Outlook(FiringRows(connection, among), now, lambda: program.desk.planner.timing).coming(
                until, most
            )
        )
    if len(found) == MOST and number is None:
        program.warn(f"there are more: these are the first {MOST:,}")
    if json:
        from postsched.transfer.firings import firing_document

        program.print_json([firing_document(firing) for firing in found])
        return
    _show(program, found, chosen=bool(account or tag or days))


def _show(program: Program, found: list[Firing], *, chosen: bool) -> None:
    from postsched.cli.looks.agenda import Reader, agenda

    if found:
        program.show(agenda(found, Reader(program.now(), program.zone, program.screen)))
    elif chosen:
        program.print("Nothing is to come that fits")
    else:
        program.print('Nothing is to come. Write a post: postsched add "Hello" --at "tomorrow 9am"')
