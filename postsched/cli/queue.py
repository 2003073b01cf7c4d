"""queue …: what sits in the weekly slots, and its order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from postsched.cli.completion import complete_post
from postsched.cli.group import Group
from postsched.cli.options import Account, Json, OneId, names
from postsched.cli.program import Program
from postsched.cli.screen import Cell, Column
from postsched.domain.errors import InvalidInput

if TYPE_CHECKING:
    from postsched.service.queue import Place

app = typer.Typer()


class Queue(Group):
    """The commands; without one, the queue is shown."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As usual, but it needs no command."""
        return super(Group, self).parse_args(ctx, args)


queue = typer.Typer(
    cls=Queue,
    invoke_without_command=True,
    epilog="Examples:\n\npostsched queue\n\npostsched queue --account me --json",
)
app.add_typer(queue, name="queue")

COLUMNS = (
    Column("ACCOUNT"),
    Column("SLOT"),
    Column("ID", right=True),
    Column("TEXT", flexible="cut", most=60),
    Column("STATUS"),
)


@queue.callback()
def show(ctx: typer.Context, account: Account = None, json: Json = False) -> None:
    """What sits in the slots, and the order of it."""
    if ctx.invoked_subcommand is None:
        _show(ctx.obj, names(account, "--account"), json=json)
    elif account is not None or json:
        raise InvalidInput(
            "--account and --json stand behind the command",
            f"Write: postsched queue {ctx.invoked_subcommand} --json",
        )


@queue.command(epilog="Examples:\n\npostsched queue up 12\n\npostsched queue up 12 --account me")
def up(ctx: typer.Context, post_id: OneId, account: Account = None, json: Json = False) -> None:
    """Exchange a post with the one before it."""
    _step(ctx.obj, post_id, account, -1, json=json)


@queue.command(epilog="Example:\n\npostsched queue down 12")
def down(ctx: typer.Context, post_id: OneId, account: Account = None, json: Json = False) -> None:
    """Exchange a post with the one behind it."""
    _step(ctx.obj, post_id, account, 1, json=json)


@queue.command(epilog="Example:\n\npostsched queue swap 12 15")
def swap(
    ctx: typer.Context,
    post_id: OneId,
    other_id: Annotated[
        int, typer.Argument(metavar="ID", help="Another post.", autocompletion=complete_post)
    ],
    account: Account = None,
    json: Json = False,
) -> None:
    """Exchange two posts."""
    from postsched.service import queue as service

    program: Program = ctx.obj
    touched = service.swap(program.desk, post_id, other_id, names(account, "--account"))
    _show(program, touched, json=json)


@queue.command(
    epilog="Examples:\n\npostsched queue shuffle\n\npostsched queue shuffle --account me --seed 7"
)
def shuffle(
    ctx: typer.Context,
    account: Account = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="The same order for the same N.")
    ] = None,
    json: Json = False,
) -> None:
    """Put the posts into another order, by chance."""
    from random import Random

    from postsched.service import queue as service

    program: Program = ctx.obj
    wanted = names(account, "--account")
    rng = program.rng if seed is None else Random(seed)  # noqa: S311 - no secret
    service.shuffle(program.desk, wanted, rng)
    _show(program, wanted, json=json)


def _step(
    program: Program, post_id: int, account: list[str] | None, by: int, *, json: bool
) -> None:
    from postsched.service import queue as service

    touched = service.step(program.desk, post_id, names(account, "--account"), by)
    _show(program, touched, json=json)


def _show(program: Program, wanted: Sequence[str] | None, *, json: bool) -> None:
    from postsched.service import queue as service

    with program.database.read() as connection:
        found = service.places(connection, program.now(), wanted)
    if json:
        program.print_json([service.place_document(place) for place in found])
        return
    if not found:
        program.print("There are no slots. Add some: postsched slots add NAME mon-fri 09:00 17:30")
        return
    rows, before = [], ""
    for place in found:
        rows.append(_row(program, place, place.account != before))
        before = place.account
    program.show(program.screen.table(COLUMNS, rows))


def _row(program: Program, place: Place, is_first: bool) -> tuple[Cell, ...]:
    from postsched.cli.render import COLOURS, one_line, short_time

    account = (place.account if is_first else "", "bold")
    when = short_time(place.at, program.now(), program.zone)
    if place.delivery is None or place.post is None:
        return account, (when, "dim"), ("", ""), ("", ""), ("free", "dim")
    status = place.delivery.status.value
    held = " paused" if place.post.paused else ""
    return (
        account,
        (when, ""),
        (str(place.post.id), ""),
        (one_line(place.post.content.text), ""),
        (status + held, COLOURS.get(status, "")),
    )
