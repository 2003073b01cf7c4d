"""token …: what programs show to `serve` to be let in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from postsched.cli.group import Group
from postsched.cli.options import Json
from postsched.cli.program import Program
from postsched.cli.screen import Column
from postsched.domain.scope import Scope

if TYPE_CHECKING:
    from datetime import datetime

    from postsched.domain.token import Token

app = typer.Typer()
token = typer.Typer(cls=Group, help="Tokens for the programs that use serve: add, list, revoke.")
app.add_typer(token, name="token")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Whose it is.")]
COLUMNS = (Column("NAME"), Column("SCOPE"), Column("MADE"), Column("EXPIRES"), Column("USED"))


@token.command(
    epilog="Examples:\n\npostsched token add website --scope write\n\n"
    "postsched token add writer-bot --scope draft --expires 90d"
)
def add(
    ctx: typer.Context,
    name: Name,
    scope: Annotated[
        Scope,
        typer.Option(
            "--scope",
            help="read; draft: also propose drafts, which a person approves; write: everything.",
        ),
    ],
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="DURATION", help="How long it holds.")
    ] = None,
    json: Json = False,
) -> None:
    """Make a token and show it, once: only a hash of it is kept."""
    from postsched.domain.duration import parse_duration
    from postsched.service import tokens

    program: Program = ctx.obj
    holds = parse_duration(expires) if expires is not None else None
    made, secret = tokens.add(program.desk, name, scope, holds)
    if json:
        program.print_json({**_shown(made), "token": secret.reveal()})
        return
    program.say("This is shown once; keep it where secrets are kept:")
    program.print(str(secret.reveal()))


@token.command(
    name="list", epilog="Examples:\n\npostsched token list\n\npostsched token list --json"
)
def list_(ctx: typer.Context, json: Json = False) -> None:
    """The tokens there are; what they are is not known."""
    from postsched.service import tokens

    program: Program = ctx.obj
    found = tokens.every(program.desk)
    if json:
        program.print_json([_shown(one) for one in found])
        return
    if not found:
        program.print("There are no tokens. Make one: postsched token add NAME --scope read")
        return
    rows = [_row(program, one) for one in found]
    program.show(program.screen.table(COLUMNS, rows))


@token.command(epilog="Example:\n\npostsched token revoke website")
def revoke(ctx: typer.Context, name: Name, json: Json = False) -> None:
    """Take a token away: what shows it is refused from now on."""
    from postsched.service import tokens

    program: Program = ctx.obj
    tokens.revoke(program.desk, name)
    if json:
        program.print_json({"revoked": name})
    else:
        program.print(f"The token {name} is revoked")


def _shown(one: Token) -> dict[str, Any]:
    from postsched.transfer.documents import rfc3339

    return {
        "name": one.name,
        "scope": one.scope.value,
        "made_at": rfc3339(one.made_at),
        "expires_at": rfc3339(one.expires_at),
        "used_at": rfc3339(one.used_at),
    }


def _row(program: Program, one: Token) -> list[tuple[str, str]]:
    from postsched.cli.render import short_time

    def when(instant: datetime | None, instead: str) -> tuple[str, str]:
        if instant is None:
            return instead, ""
        return short_time(instant, program.now(), program.zone), ""

    expires = when(one.expires_at, "never")
    if one.has_expired(program.now()):
        expires = (f"{expires[0]}, over", "red")
    return [
        (one.name, ""), (one.scope.value, ""), when(one.made_at, ""), expires,
        when(one.used_at, "never"),
    ]  # fmt: skip
