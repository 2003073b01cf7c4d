"""webhook …: what was told to programs, sent again, and tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from postsched.cli.group import Group
from postsched.cli.options import Json
from postsched.cli.program import Program
from postsched.cli.screen import Column
from postsched.domain.hook import HookState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postsched.domain.hook import Hook
    from postsched.engine.trial import Called

app = typer.Typer()
webhook = typer.Typer(cls=Group, help="Signed webhooks and callbacks: list, send again, test.")
app.add_typer(webhook, name="webhook")

COLUMNS = (
    Column("ID", right=True), Column("WHEN"), Column("EVENT"), Column("POST", right=True),
    Column("TO", flexible="cut"), Column("STATE"), Column("TRIES", right=True), Column("NEXT"),
    Column("ANSWER", flexible="fold"),
)  # fmt: skip
COLOURS = {HookState.DELIVERED: "green", HookState.FAILED: "bold red", HookState.RETRYING: "yellow"}
HELD = 60.0
"""Seconds that another process is waited for which is just sending one."""
GLANCE = 0.1
"""Seconds between two looks: that process may be on another machine, and says nowhere but in the
database when it is done."""
PAGE = 500


@webhook.command(
    name="list",
    epilog="Examples:\n\npostsched webhook list\n\npostsched webhook list --failed --json",
)
def list_(
    ctx: typer.Context,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only what was not taken at the last try.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=PAGE, help="So many at the most.")
    ] = 50,
    json: Json = False,
) -> None:
    """Webhooks and callbacks of the last 30 days, the newest first."""
    from postsched.service import hooks

    program: Program = ctx.obj
    _show(program, hooks.newest(program.desk, limit, failed=failed), json=json)


@webhook.command(
    epilog="Examples:\n\npostsched webhook replay 12\n\npostsched webhook replay 12 13 --json"
)
def replay(
    ctx: typer.Context,
    ids: Annotated[list[int], typer.Argument(metavar="ID...", help="As webhook list has them.")],
    json: Json = False,
) -> None:
    """Send webhooks again now, under the same webhook-id, delivered or not.

    What is not taken is tried again for a day, as at first; it exits with 1 then.
    """
    import asyncio

    from postsched.cli.working import herald
    from postsched.service import hooks

    program: Program = ctx.obj
    again = hooks.replay(program.desk, ids)
    numbers = [hook.id for hook in again.hooks]
    asyncio.run(herald(program).again(numbers))
    found = _settled(program, numbers)
    _show(program, found, json=json)
    for sentence in again.refused:
        program.complain(sentence)
    done = all(hook.state is HookState.DELIVERED for hook in found)
    raise typer.Exit(0 if done and not again.refused else 1)


@webhook.command(
    name="test",
    epilog="Examples:\n\npostsched webhook test\n\n"
    "postsched webhook test https://example.org/hooks/posts",
)
def try_(
    ctx: typer.Context,
    url: Annotated[
        str | None, typer.Argument(metavar="[URL]", help="Else that of [webhook].")
    ] = None,
    json: Json = False,
) -> None:
    """Send a signed test message now, and say what the receiver answers.

    It is as one that is really sent, of the type test, and is not tried again; it exits with 1 if
    it is not taken.
    """
    import asyncio

    from postsched.engine.clock import SystemClock
    from postsched.engine.trial import try_address
    from postsched.service.hooks import address_to_try

    program: Program = ctx.obj
    address = address_to_try(program.desk, url)
    called = asyncio.run(try_address(program.settings, program.secrets, SystemClock(), address))
    if json:
        program.print_json(called.document())
    else:
        _say(program, called)
    raise typer.Exit(1 if called.told.problem else 0)


def _say(program: Program, called: Called) -> None:
    paint, told = program.screen.paint, called.told
    state = paint("failed", "bold red") if told.problem else paint("ok", "green")
    what = told.problem or f"the receiver answers {told.answer}"
    program.show(f"{state}  {paint(what)}, after {called.seconds * 1000:.0f} ms")
    if told.said:
        program.show(f"It says: {paint(told.said)}")


def _settled(program: Program, ids: Sequence[int]) -> list[Hook]:
    """How they stand, once no other process is sending one of them."""
    import time

    from postsched.service import hooks

    end = time.monotonic() + HELD
    while True:
        found = hooks.named(program.desk, ids)
        held = any(hook.state is HookState.SENDING for hook in found)
        if not held or time.monotonic() > end:
            return found
        time.sleep(GLANCE)


def _show(program: Program, found: Sequence[Hook], *, json: bool) -> None:
    from postsched.service.hooks import document

    if json:
        program.print_json([document(hook) for hook in found])
    elif found:
        program.show(program.screen.table(COLUMNS, [_row(program, hook) for hook in found]))
    else:
        program.print("There are none")


def _row(program: Program, hook: Hook) -> list[tuple[str, str]]:
    from postsched.cli.render import short_time
    from postsched.domain.hook import shown

    now, zone = program.now(), program.zone
    answer = hook.problem or (str(hook.answer) if hook.answer else "")
    return [
        (str(hook.id), ""), (short_time(hook.at, now, zone), ""), (hook.event.value, ""),
        (str(hook.post_id or ""), ""), (shown(hook.url) or "", ""),
        (hook.state.value, COLOURS.get(hook.state, "")), (str(hook.attempts), ""),
        (short_time(hook.next_at, now, zone) if hook.next_at else "", ""), (answer, ""),
    ]  # fmt: skip
