"""account … and platforms."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from postsched.cli.account_view import COLUMNS, account_named, answer, document, row
from postsched.cli.completion import complete_account
from postsched.cli.group import Group
from postsched.cli.login import EXAMPLES, login
from postsched.cli.options import Json, keys_and_values
from postsched.cli.passphrase import EXAMPLES as PASSPHRASES
from postsched.cli.passphrase import passphrase
from postsched.cli.program import Program
from postsched.domain.errors import InvalidInput

if TYPE_CHECKING:
    from postsched.domain.secret import Secret

app = typer.Typer()
account = typer.Typer(cls=Group, help="Where posts go: add, log in, check, set, remove, group.")
app.add_typer(account, name="account")

Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete_account)]
TokenStdin = Annotated[
    bool, typer.Option("--token-stdin", help="Read the secret from stdin, never an argument.")
]


@account.command(
    epilog="Examples:\n\n"
    "postsched account add me --platform mastodon --url https://example.social --token-stdin\n\n"
    "postsched account add sky --platform bluesky --user me.bsky.social --token-stdin\n\n"
    "postsched account add drafts --platform outbox --set dir=~/outbox"
)
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    platform: Annotated[str, typer.Option(metavar="P", help="See: postsched platforms.")],
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="The server, or the service's address.")
    ] = None,
    user: Annotated[
        str | None, typer.Option(metavar="ID", help="The login, where the secret doesn't name it.")
    ] = None,
    token_stdin: TokenStdin = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting.")
    ] = None,
    json: Json = False,
) -> None:
    """Add an account, and ask its network whether the secret is good."""
    from postsched.service import accounts
    from postsched.service.wanted import Wanted

    program: Program = ctx.obj
    settings = keys_and_values(set_, "--set")
    wanted = Wanted(name, platform, url, user, settings, _secret(token_stdin))
    checked = accounts.add(program.desk, program.secrets, wanted)
    answer(program, checked, "is added", json=json)
    _say_where_it_is(program, wanted.name, wanted.secret)


account.command(name="login", epilog=EXAMPLES)(login)
account.command(name="passphrase", epilog=PASSPHRASES)(passphrase)


@account.command(name="list", epilog="Example:\n\npostsched account list --json")
def list_(ctx: typer.Context, json: Json = False) -> None:
    """All accounts."""
    from postsched.store import accounts as account_rows

    program: Program = ctx.obj
    with program.database.read() as connection:
        found = account_rows.every(connection)
    if json:
        program.print_json([document(one) for one in found])
        return
    if not found:
        program.print("There are no accounts. Add one: postsched account add --help")
        return
    program.show(program.screen.table(COLUMNS, [row(one) for one in found]))


@account.command(epilog="Example:\n\npostsched account show me")
def show(ctx: typer.Context, name: Name, json: Json = False) -> None:
    """One account, with what is known of its server."""
    program: Program = ctx.obj
    found = account_named(program, name)
    written = document(found, program)
    if json:
        program.print_json(written)
        return
    for key, value in written.items():
        shown = ", ".join(f"{k}={v}" for k, v in value.items()) if type(value) is dict else value
        if shown not in (None, "", [], {}):
            program.print(f"{key.replace('_', ' ')}: {shown}")


@account.command(epilog="Example:\n\npostsched account check me")
def check(ctx: typer.Context, name: Name, json: Json = False) -> None:
    """Ask the network whether the login is still good, and when it expires."""
    from postsched.service import accounts

    program: Program = ctx.obj
    checked = accounts.check(program.desk, program.secrets, account_named(program, name))
    answer(program, checked, "is good", json=json)
    if checked.warning:
        raise typer.Exit(1)


@account.command(
    name="set",
    epilog="Examples:\n\npostsched account set me url=https://other.social\n\n"
    "postsched account set me quiet_hours=22:00-07:00 min_spacing=30m\n\n"
    "postsched account set me --token-stdin",
)
def set_(
    ctx: typer.Context,
    name: Name,
    values: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...")] = None,
    token_stdin: TokenStdin = False,
    json: Json = False,
) -> None:
    """Change an account's url, user, settings or secret."""
    from postsched.service import accounts

    program: Program = ctx.obj
    found = account_named(program, name)
    pairs, secret = keys_and_values(values, "setting"), _secret(token_stdin)
    if not pairs and secret is None:
        raise InvalidInput("it isn't said what to set", "Give KEY=VALUE or --token-stdin")
    checked = accounts.Checked(found)
    if pairs:
        checked = accounts.set_values(program.desk, found, pairs)
    if secret is not None:
        checked = accounts.set_secret(program.desk, program.secrets, checked.account, secret)
    answer(program, checked, "is changed", json=json)
    _say_where_it_is(program, name, secret)


@account.command(epilog="Example:\n\npostsched account remove me")
def remove(
    ctx: typer.Context,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Remove an account and its secret."""
    from postsched.cli.posts import confirm
    from postsched.service import accounts

    program: Program = ctx.obj
    found = account_named(program, name)
    if not yes and sys.stdin.isatty():
        confirm(program, f"Remove {found.name} ({found.platform}) and its secret?")
    accounts.remove(program.desk, program.secrets, name)
    program.print(f"{name} is removed")


@account.command(
    epilog="Examples:\n\npostsched account group team me work\n\npostsched account group team"
)
def group(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete_account)],
    accounts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ACCOUNT]...", autocompletion=complete_account),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the group.")] = False,
    json: Json = False,
) -> None:
    """Set a name for several accounts; without accounts, show it."""
    from postsched.service import accounts as service
    from postsched.service import groups
    from postsched.service.account_document import group_document

    program: Program = ctx.obj
    if accounts and remove:
        raise InvalidInput("there are accounts and --remove", "Give one of them")
    if accounts:
        service.set_group(program.desk, name, accounts)
    if remove:
        found = groups.remove(program.desk, name)
    else:
        with program.database.read() as connection:
            found = groups.named(connection, name)
    if json:
        program.print_json(group_document(found))
    else:
        program.print(f"{name}: {'removed' if remove else ', '.join(found.accounts)}")


@app.command(name="platforms", epilog="Example:\n\npostsched platforms --json")
def platforms_(ctx: typer.Context, json: Json = False) -> None:
    """The platforms, and what each can do."""
    from postsched.cli.platform_table import platform_documents, platform_table

    program: Program = ctx.obj
    documents = platform_documents(program)
    if json:
        program.print_json(documents)
    else:
        program.show(platform_table(documents, program.screen))


def _say_where_it_is(program: Program, name: str, secret: Secret | None) -> None:
    """Say that a secret is in the file: a backup of it, and of the passphrase, is one's own."""
    file = program.secrets.file
    if secret is not None and file is not None and program.secrets.source(name) == "file":
        program.say(f"The secret of {name} is encrypted in {file.path}")


def _secret(from_stdin: bool) -> Secret | None:
    from postsched.cli.secret_input import secret_from

    return secret_from(sys.stdin) if from_stdin else None
