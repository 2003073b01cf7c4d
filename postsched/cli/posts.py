"""Commands on posts that are there: list, show, cancel, delete, pause, resume, retry, resolve,
history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from postsched.cli.options import (
    Account,
    DeliveryId,
    Ids,
    Json,
    Occurrence,
    OneId,
    OptionalIds,
    instant,
    split,
)
from postsched.cli.program import Program
from postsched.domain.errors import InvalidInput

if TYPE_CHECKING:
    from postsched.domain.delivery import Delivery
    from postsched.service.deliveries import Which
    from postsched.store.reading import Filed, Filter

app = typer.Typer()
LIST_LIMIT = 50
STATUSES = (
    "draft", "scheduled", "publishing", "confirming", "retrying", "published", "partial",
    "failed", "missed", "unconfirmed", "cancelled",
)  # fmt: skip

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
    int | None, typer.Option("--limit", metavar="N", min=1, help="At the most so many (50).")
]
Every = Annotated[bool, typer.Option("--all", help="Every one of every status.")]


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
    from postsched.store import reading

    program: Program = ctx.obj
    with program.database.read() as connection:
        wanted = _filter(program, connection, status, account, from_, until, tag, search)
        count = None if every and limit is None else limit or LIST_LIMIT
        found = reading.find_posts(connection, wanted, count)
    _print_filed(program, found, json=json)


@app.command(epilog="Example:\n\npostsched show 12")
def show(ctx: typer.Context, post_id: OneId, json: Json = False) -> None:
    """One post with its schedule, deliveries and every attempt."""
    from postsched.service.desk import posts_named
    from postsched.store import reading

    program: Program = ctx.obj
    with program.database.read() as connection:
        posts_named(connection, [post_id])
        (filed,) = reading.file_posts(connection, [post_id])
        attempts = reading.attempts_of(connection, filed)
    if json:
        from postsched.transfer.documents import post_document

        program.print_json(post_document(filed.post, filed.schedule, filed.deliveries, attempts))
        return
    from postsched.cli.render import post_page

    program.show(post_page(filed, attempts, program.now(), program.zone, program.screen))


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
    from postsched.store import reading

    program: Program = ctx.obj
    with program.database.read() as connection:
        wanted = _filter(program, connection, status, account, from_, until, tag, search)
        count = None if every and limit is None else limit or LIST_LIMIT
        found = reading.history(connection, wanted, count)
    if json:
        from postsched.transfer.documents import delivery_document

        program.print_json([delivery_document(delivery) for delivery in found])
        return
    from postsched.cli.render import history_table

    program.show(history_table(found, program.now(), program.zone, program.screen))


@app.command(epilog="Examples:\n\npostsched cancel 12\n\npostsched cancel 12 --account work")
def cancel(
    ctx: typer.Context,
    ids: Ids,
    account: Account = None,
    occurrence: Occurrence = None,
    delivery: DeliveryId = None,
    json: Json = False,
) -> None:
    """Cancel what has not gone out."""
    from postsched.service import deliveries

    program: Program = ctx.obj
    which = _which(program, account, occurrence, delivery)
    done = deliveries.cancel(program.desk, ids, which)
    print_posts(program, ids, json=json)
    for doubtful in done.refused:
        program.complain(
            f"post {doubtful.post_id} is {doubtful.status} on {doubtful.account} and can't be "
            f"cancelled now. See: postsched show {doubtful.post_id}"
        )
    if done.refused:
        raise typer.Exit(1)


@app.command(epilog="Examples:\n\npostsched delete 12\n\npostsched delete 12 --account me --yes")
def delete(
    ctx: typer.Context,
    ids: Ids,
    account: Account = None,
    occurrence: Occurrence = None,
    delivery: DeliveryId = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    json: Json = False,
) -> None:
    """Remove published posts from their networks."""
    from postsched.service import removal

    program: Program = ctx.obj
    which = _which(program, account, occurrence, delivery)
    found = removal.published(program.desk, ids, which)
    if not yes:
        places = ", ".join(sorted({delivery.account for delivery in found}))
        confirm(program, f"Remove {_numbers(ids)} from {places}, for good?")
    failures = removal.remove(program.desk, program.secrets, found)
    print_posts(program, ids, json=json)
    for failure in failures:
        program.complain(failure)
    if failures:
        raise typer.Exit(1)


@app.command(
    epilog="Examples:\n\npostsched pause 12\n\npostsched pause --account me\n\n"
    "postsched pause --all"
)
def pause(
    ctx: typer.Context,
    ids: OptionalIds = None,
    account: Account = None,
    every: Annotated[bool, typer.Option("--all", help="Everything.")] = False,
    json: Json = False,
) -> None:
    """Hold posts, an account, or everything."""
    _hold(ctx.obj, ids or [], account, every, paused=True, json=json)


@app.command(epilog="Examples:\n\npostsched resume 12\n\npostsched resume --account me")
def resume(
    ctx: typer.Context,
    ids: OptionalIds = None,
    account: Account = None,
    every: Annotated[bool, typer.Option("--all", help="Everything.")] = False,
    json: Json = False,
) -> None:
    """Release what was held; what is past its grace is missed."""
    _hold(ctx.obj, ids or [], account, every, paused=False, json=json)


@app.command(epilog="Examples:\n\npostsched retry 12\n\npostsched retry 12 --account me")
def retry(
    ctx: typer.Context,
    ids: Ids,
    account: Account = None,
    occurrence: Occurrence = None,
    delivery: DeliveryId = None,
    json: Json = False,
) -> None:
    """Send failed, missed or cancelled deliveries again."""
    from postsched.service import deliveries

    program: Program = ctx.obj
    deliveries.retry(program.desk, ids, _which(program, account, occurrence, delivery))
    print_posts(program, ids, json=json)


@app.command(
    epilog="Examples:\n\npostsched resolve 12 published --url https://…\n\n"
    "postsched resolve 12 absent"
)
def resolve(
    ctx: typer.Context,
    post_id: OneId,
    verdict: Annotated[str, typer.Argument(metavar="published|absent", help="What you saw.")],
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="Where the post is.")
    ] = None,
    remote_id: Annotated[
        str | None, typer.Option("--remote-id", metavar="ID", help="The network's id of it.")
    ] = None,
    account: Account = None,
    occurrence: Occurrence = None,
    delivery: DeliveryId = None,
    json: Json = False,
) -> None:
    """Settle a delivery of which the network can't tell whether it went out."""
    from postsched.domain.outcome import Published
    from postsched.service import deliveries

    program: Program = ctx.obj
    if verdict not in ("published", "absent"):
        raise InvalidInput(f"{verdict!r} is no verdict", "Say published or absent")
    if verdict == "absent" and (url or remote_id):
        raise InvalidInput("--url and --remote-id go with published")
    published = Published(remote_id or "", url) if verdict == "published" else None
    which = _which(program, account, occurrence, delivery)
    deliveries.resolve(program.desk, [post_id], which, published)
    print_posts(program, [post_id], json=json)


def print_posts(program: Program, ids: Sequence[int], *, json: bool, single: bool = False) -> None:
    """The posts of those ids, as they are now; `single` prints one JSON object."""
    from postsched.store import reading

    with program.database.read() as connection:
        found = reading.file_posts(connection, list(dict.fromkeys(ids)))
    if json and single:
        from postsched.transfer.documents import post_document

        (filed,) = found
        program.print_json(post_document(filed.post, filed.schedule, filed.deliveries))
        return
    _print_filed(program, found, json=json)


def confirm(program: Program, question: str) -> None:
    """Ask on the terminal; raises InvalidInput where there is none, Abort for a no."""
    import sys

    if not sys.stdin.isatty():
        raise InvalidInput("there is no terminal to ask on", "Say --yes if you are sure")
    if not typer.confirm(question, err=True):
        raise typer.Abort


def _print_filed(program: Program, found: Sequence[Filed], *, json: bool) -> None:
    if json:
        from postsched.transfer.documents import post_document

        program.print_json(
            [post_document(filed.post, filed.schedule, filed.deliveries) for filed in found]
        )
        return
    from postsched.cli.render import post_table

    program.show(post_table(found, program.now(), program.zone, program.screen))


def _hold(
    program: Program,
    ids: list[int],
    account: str | None,
    every: bool,
    *,
    paused: bool,
    json: bool,
) -> None:
    from postsched.service import deliveries

    if sum((bool(ids), account is not None, every)) != 1:
        raise InvalidInput("it isn't said what to hold or release", "Give IDs, --account or --all")
    missed: list[Delivery] = []
    if ids:
        missed = (deliveries.pause if paused else deliveries.resume)(program.desk, ids) or []
    elif account is not None:
        missed = deliveries.pause_account(program.desk, account, paused=paused)
    else:
        missed = deliveries.pause_all(program.desk, paused=paused)
    touched = ids or list(dict.fromkeys(delivery.post_id for delivery in missed))
    if json or ids:
        print_posts(program, touched, json=json)
    else:
        what = "everything" if every else account
        program.print(f"{what} is {'paused' if paused else 'released'}")
    if missed:
        program.say(
            f"{len(missed)} went past their grace meanwhile and are missed. "
            f"Send them with: postsched retry {' '.join(str(d.post_id) for d in missed[:10])}"
        )


def _which(
    program: Program, account: str | None, occurrence: str | None, delivery: int | None
) -> Which:
    from postsched.service.deliveries import Which, accounts_named

    if account is not None:
        with program.database.read() as connection:
            accounts_named(connection, [account])
    return Which(account, instant(program, occurrence), delivery)


def _filter(
    program: Program,
    connection: Any,
    status: list[str] | None,
    account: str | None,
    since: str | None,
    until: str | None,
    tag: str | None,
    search: str | None,
) -> Filter:
    from datetime import timedelta

    from postsched.domain.nearest import did_you_mean
    from postsched.service.deliveries import accounts_named
    from postsched.store.reading import Filter

    wanted = split(status)
    for word in wanted:
        if word not in STATUSES:
            raise InvalidInput(f"there is no status {word!r}", did_you_mean(word, STATUSES))
    ids = [one.id for one in accounts_named(connection, split([account]))] if account else []
    end = instant(program, until)
    if end is not None and until is not None and len(until.strip()) == 10:
        end += timedelta(days=1, microseconds=-1)  # a bare day is included
    return Filter(wanted, ids, instant(program, since), end, tag, search)


def _numbers(ids: Sequence[int]) -> str:
    return ("post " if len(ids) == 1 else "posts ") + ", ".join(map(str, ids))
