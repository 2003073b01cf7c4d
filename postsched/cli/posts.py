"""Looking at posts: list, show, history; and how the posts that a command touched are printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from postsched.cli.choice import (
    Every,
    From,
    Limit,
    OnlyTag,
    Search,
    Status,
    Until,
    count,
    filter_of,
)
from postsched.cli.options import Account, Json, OneId
from postsched.cli.program import Program
from postsched.domain.errors import InvalidInput

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from postsched.store.reading import Filed

app = typer.Typer()


@app.command(
    name="list",
    epilog="""Examples:

postsched list

postsched list --status failed,missed --json

postsched list --all --account me --search launch""",
)
def list_(
    ctx: typer.Context,
    every: Every = False,
    status: Status = None,
    account: Account = None,
    from_: From = None,
    until: Until = None,
    tag: OnlyTag = None,
    search: Search = None,
    limit: Limit = None,
    json: Json = False,
) -> None:
    """What is coming, and what went out lately."""
    from postsched.service import endings
    from postsched.service.choice import STATUSES
    from postsched.store import reading

    program: Program = ctx.obj
    program.expect_database()
    with program.database.read() as connection:
        wanted = filter_of(
            program, connection, STATUSES, status, account, from_, until, tag, search
        )
        found = reading.find_posts(connection, wanted, count(every, limit))
        ending = endings.of_waiting(connection)
    print_filed(program, found, json=json, by_day=True)
    for one in ending:
        program.warn(endings.sentence(one, program.now(), program.zone))


@app.command(epilog="Example:\n\npostsched show 12")
def show(ctx: typer.Context, post_id: OneId, json: Json = False) -> None:
    """One post with its schedule, deliveries and every attempt."""
    show_post(ctx.obj, post_id, json=json)


def show_post(program: Program, post_id: int, *, json: bool = False) -> None:
    """Show all that is known of a post. Raises NotFound."""
    from postsched.service.desk import posts_named
    from postsched.service.limits import held_now
    from postsched.service.shown import whole
    from postsched.store import reading

    with program.database.read() as connection:
        if json:
            program.print_json(whole(connection, program.settings, post_id))
            return
        posts_named(connection, [post_id])
        (filed,) = reading.file_posts(connection, [post_id])
        attempts = reading.attempts_of(connection, filed)
        held = held_now(connection, program.now())
    from postsched.cli.render import post_page

    program.show(post_page(filed, attempts, program.now(), program.zone, program.screen, held))


@app.command(epilog="Examples:\n\npostsched history\n\npostsched history --account me --json")
def history(
    ctx: typer.Context,
    every: Every = False,
    status: Status = None,
    account: Account = None,
    from_: From = None,
    until: Until = None,
    tag: OnlyTag = None,
    search: Search = None,
    limit: Limit = None,
    json: Json = False,
) -> None:
    """Finished deliveries with their permalinks, newest first."""
    from postsched.service.choice import DELIVERY_STATUSES
    from postsched.store import reading

    program: Program = ctx.obj
    with program.database.read() as connection:
        wanted = filter_of(
            program, connection, DELIVERY_STATUSES, status, account, from_, until, tag, search
        )
        found = reading.history(connection, wanted, count(every, limit))
    if json:
        from postsched.transfer.documents import delivery_document

        program.print_json([delivery_document(delivery) for delivery in found])
        return
    from postsched.cli.render import history_table

    program.show(history_table(found, program.now(), program.zone, program.screen))


def print_posts(program: Program, ids: Sequence[int], *, json: bool, single: bool = False) -> None:
    """The posts of those ids, as they are now; `single` prints one JSON object."""
    from postsched.store import reading

    with program.database.read() as connection:
        found = reading.file_posts(connection, list(dict.fromkeys(ids)))
        left = _left(program, connection, ids[0]) if single and not found else None
    if json and single:
        from postsched.transfer.documents import post_document

        if left is not None:
            program.print_json(left)
            return
        (filed,) = found
        program.print_json(post_document(filed.post, filed.schedule, filed.deliveries))
        return
    print_filed(program, found, json=json)


def _left(program: Program, connection: Connection, post_id: int) -> dict[str, Any]:
    """The document of a post that has left the database; where it is not archived, its number."""
    from postsched.service.shown import archived

    return archived(connection, program.settings, post_id) or {"id": post_id}


def confirm(program: Program, question: str) -> None:
    """Ask on the terminal; raises InvalidInput where there is none, Abort for a no."""
    import sys

    if not sys.stdin.isatty():
        raise InvalidInput("there is no terminal to ask on", "Say --yes if you are sure")
    if not typer.confirm(question, err=True):
        raise typer.Abort


def print_filed(
    program: Program, found: Sequence[Filed], *, json: bool, by_day: bool = False
) -> None:
    """Those posts, as a table, by day if that is wanted, or as a JSON array."""
    if json:
        from postsched.transfer.documents import post_document

        program.print_json(
            [post_document(filed.post, filed.schedule, filed.deliveries) for filed in found]
        )
        return
    from postsched.cli.looks.agenda import Reader
    from postsched.cli.looks.shelf import Shelf
    from postsched.service.limits import held_now

    with program.database.read() as connection:
        held = held_now(connection, program.now())
    shelf = Shelf(Reader(program.now(), program.zone, program.screen), held)
    program.show(shelf.by_day(found) if by_day else shelf.table(found))
