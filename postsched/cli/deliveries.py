"""What a person does with posts that are planned or out: cancel, delete, pause, resume, retry,
resolve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from postsched.cli.options import (
    Account,
    DeliveryId,
    Ids,
    Json,
    Occurrence,
    OneId,
    OptionalIds,
    names,
    which,
)
from postsched.cli.posts import confirm, print_posts, show_post
from postsched.cli.program import Program
from postsched.domain.errors import InvalidInput

if TYPE_CHECKING:
    from postsched.domain.delivery import Delivery

app = typer.Typer()
Everything = Annotated[bool, typer.Option("--all", help="Everything.")]


@app.command(
    epilog="Examples:\n\npostsched cancel 12\n\npostsched cancel 12 --account work\n\n"
    "postsched cancel 12 --close-gap"
)
def cancel(
    ctx: typer.Context,
    ids: Ids,
    account: Account = None,
    occurrence: Occurrence = None,
    delivery: DeliveryId = None,
    close_gap: Annotated[
        bool | None,
        typer.Option("--close-gap/--leave-gap", help="Later posts move up into a slot it leaves."),
    ] = None,
    json: Json = False,
) -> None:
    """Cancel what has not gone out."""
    from postsched.service import deliveries

    program: Program = ctx.obj
    wanted = which(program, account, occurrence, delivery)
    done = deliveries.cancel(program.desk, ids, wanted, close_gaps=close_gap)
    if done.moved_up:
        posts = "post moves" if done.moved_up == 1 else "posts move"
        program.say(f"{done.moved_up} later {posts} up. See: postsched queue")
    _answer(program, ids, done.refused, json=json)


@app.command(epilog="Examples:\n\npostsched delete 12\n\npostsched delete 12 --account me --yes")
def delete(
    ctx: typer.Context,
    ids: Ids,
    account: Account = None,
    occurrence: Occurrence = None,
    delivery: DeliveryId = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    json: Json = False,
) -> None:
    """Remove published posts from their networks."""
    from postsched.service import removal

    program: Program = ctx.obj
    wanted = which(program, account, occurrence, delivery)
    found = removal.published(program.desk, ids, wanted)
    if not yes:
        places = ", ".join(sorted({delivery.account for delivery in found}))
        confirm(program, f"Remove {_numbers(ids)} from {places}, for good?")
    failures = removal.remove(program.desk, program.secrets, found)
    if not failures and not json:
        for one in found:
            program.print(f"post {one.post_id} is removed from {one.account}")
        return
    _answer(program, ids, failures, json=json)


@app.command(
    epilog="Examples:\n\npostsched pause 12\n\npostsched pause --account me\n\n"
    "postsched pause --all"
)
def pause(
    ctx: typer.Context,
    ids: OptionalIds = None,
    account: Account = None,
    every: Everything = False,
    json: Json = False,
) -> None:
    """Hold posts, an account, or everything."""
    _hold(ctx.obj, ids or [], account, every, paused=True, json=json)


@app.command(epilog="Examples:\n\npostsched resume 12\n\npostsched resume --account me")
def resume(
    ctx: typer.Context,
    ids: OptionalIds = None,
    account: Account = None,
    every: Everything = False,
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
    wanted = which(program, account, occurrence, delivery)
    done = deliveries.retry(program.desk, ids, wanted)
    _answer(program, ids, done.refused, json=json)


@app.command(
    epilog="Examples:\n\npostsched resolve 12 published --url https://…\n\n"
    "postsched resolve 12 absent"
)
def resolve(
    ctx: typer.Context,
    post_id: OneId,
    verdict: Annotated[
        str | None,
        typer.Argument(
            metavar="published|absent",
            help="What you saw. Without it, all that is known is shown.",
            show_default=False,
        ),
    ] = None,
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
    from postsched.service import deliveries
    from postsched.service.verdicts import verdict_of

    program: Program = ctx.obj
    if verdict is None:
        if not json:
            show_post(program, post_id)
        raise InvalidInput("it isn't said what you saw", "Say published or absent")
    published = verdict_of(verdict, url, remote_id)
    wanted = which(program, account, occurrence, delivery)
    deliveries.resolve(program.desk, post_id, wanted, published)
    _answer(program, [post_id], (), json=json)


def _answer(program: Program, ids: Sequence[int], refused: Sequence[str], *, json: bool) -> None:
    """The posts as they are now, and what could not be done: then the exit code is 1."""
    print_posts(program, ids, json=json)
    for sentence in refused:
        program.complain(sentence)
    if refused:
        raise typer.Exit(1)


def _hold(
    program: Program,
    ids: list[int],
    account: list[str] | None,
    every: bool,
    *,
    paused: bool,
    json: bool,
) -> None:
    from postsched.service import pausing

    if sum((bool(ids), account is not None, every)) != 1:
        raise InvalidInput("it isn't said what to hold or release", "Give IDs, --account or --all")
    held = names(account, "--account")
    touched = ids or _waiting(program, held)
    if ids:
        missed = (pausing.pause if paused else pausing.resume)(program.desk, ids)
    elif held is not None:
        missed = pausing.pause_accounts(program.desk, held, paused=paused)
    else:
        missed = pausing.pause_all(program.desk, paused=paused)
    if json or ids:
        print_posts(program, touched, json=json)
    else:
        what = "everything" if held is None else ", ".join(held)
        number = f"{len(touched)} post{'' if len(touched) == 1 else 's'}"
        program.print(f"{what} is {'paused' if paused else 'released'}: {number} to come")
    _say_missed(program, missed)
    if paused:
        _say_in_hand(program, ids or None, held)


def _say_in_hand(program: Program, ids: Sequence[int] | None, held: Sequence[str] | None) -> None:
    """What a worker has taken up goes out all the same: it is no more than it has in hand."""
    from postsched.service.desk import accounts_named
    from postsched.store import pauses

    with program.database.read() as connection:
        accounts = None if held is None else accounts_named(connection, held)
        named = None if accounts is None else [account.id for account in accounts]
        count = pauses.in_hand(connection, ids, named)
    if count:
        are = "is being sent and still goes" if count == 1 else "are being sent and still go"
        program.say(f"{count} {are} out")


def _waiting(program: Program, held: Sequence[str] | None) -> list[int]:
    """The posts that something waits of, to those accounts or groups, or to any."""
    from postsched.service.desk import accounts_named
    from postsched.store import reading

    with program.database.read() as connection:
        accounts = None if held is None else accounts_named(connection, held)
        ids = None if accounts is None else [account.id for account in accounts]
        return reading.waiting_posts(connection, ids)


def _say_missed(program: Program, missed: Sequence[Delivery]) -> None:
    if not missed:
        return
    ids = dict.fromkeys(delivery.post_id for delivery in missed)
    its, are, them = ("its", "is", "it") if len(missed) == 1 else ("their", "are", "them")
    program.say(
        f"{len(missed)} went past {its} grace meanwhile and {are} missed. "
        f"Send {them} with: postsched retry {' '.join(map(str, list(ids)[:10]))}"
        + (" …" if len(ids) > 10 else "")
    )


def _numbers(ids: Sequence[int]) -> str:
    return ("post " if len(ids) == 1 else "posts ") + ", ".join(map(str, ids))
