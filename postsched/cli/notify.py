"""notify: try every way in which failures are told, and keep the secret that signs webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from postsched.cli.group import Group
from postsched.cli.options import Json
from postsched.cli.program import Program
from postsched.domain.errors import InvalidInput, NotAllowed

if TYPE_CHECKING:
    from postsched.engine.trial import Tried

app = typer.Typer()
notify = typer.Typer(cls=Group, help="Tell of failures: try every configured way, sign webhooks.")
app.add_typer(notify, name="notify")


@notify.command(
    name="test", epilog="Examples:\n\npostsched notify test\n\npostsched notify test --json"
)
def try_(ctx: typer.Context, json: Json = False) -> None:
    """Tell a test in every way that is configured, and say what each came to.

    These are the targets and the command of [notify], its heartbeat, and the webhook. It exits
    with 1 if one of them fails.
    """
    import asyncio

    from postsched.engine.clock import SystemClock
    from postsched.engine.trial import try_all

    program: Program = ctx.obj
    found = asyncio.run(
        try_all(program.settings, program.secrets, program.for_children, SystemClock())
    )
    if not found:
        raise InvalidInput(
            "there is nothing to try: neither [notify] nor [webhook] is set",
            'For example: targets = ["desktop"] below [notify] in the configuration file',
        )
    if json:
        program.print_json([_document(one) for one in found])
    else:
        _show(program, found)
    raise typer.Exit(1 if any(one.problem for one in found) else 0)


def _document(tried: Tried) -> dict[str, str | None]:
    state = "failed" if tried.problem else "ok"
    return {"way": tried.way, "state": state, "error": tried.problem}


def _show(program: Program, found: list[Tried]) -> None:
    paint = program.screen.paint
    width = max(len(one.way) for one in found)
    lines = []
    for one in found:
        state = paint("failed", "bold red") if one.problem else paint("ok    ", "green")
        lines.append(f"{state} {paint(f'{one.way:{width}}')}  {paint(one.problem or 'told')}")
    program.show("\n".join(lines))


@notify.command(
    epilog="Examples:\n\npostsched notify secret\n\n"
    "postsched notify secret --secret-stdin < secret.txt"
)
def secret(
    ctx: typer.Context,
    secret_stdin: Annotated[
        bool, typer.Option("--secret-stdin", help="Keep the one on stdin instead.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the one that is kept.")] = False,
) -> None:
    """Make the secret that signs webhooks, keep it, and print it for the receiver.

    Receivers verify signatures with it by any library of Standard Webhooks.
    """
    import sys

    from postsched.cli.secret_input import secret_from
    from postsched.domain.notice import ENTRY
    from postsched.notify import webhook

    program: Program = ctx.obj
    if not force and program.secrets.before_writing(ENTRY) is not None:
        raise NotAllowed("the webhook has a secret already", "Replace it with --force")
    if secret_stdin:
        made = secret_from(sys.stdin)
        webhook.key_of(made)
    else:
        made = webhook.new_secret(program.rng.randbytes(webhook.NEW))
    program.secrets.write(ENTRY, made)
    if secret_stdin:
        program.say("The webhook's secret is kept. Try it: postsched notify test")
    else:
        program.print(str(made.reveal()))
        program.say("It is kept. Give it to the receiver, then: postsched notify test")
