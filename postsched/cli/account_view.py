"""An account as it is printed: as a row, a JSON document, or one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from postsched.cli.program import Program
from postsched.cli.screen import Cell, Column

if TYPE_CHECKING:
    from postsched.domain.account import Account
    from postsched.service.accounts import Checked

COLUMNS = (
    Column("NAME"),
    Column("PLATFORM"),
    Column("LOGIN", flexible="fold"),
    Column("STATE"),
    Column("SERVER", flexible="fold"),
)


def answer(program: Program, checked: Checked, done: str, *, json: bool) -> None:
    """What became of an account: it is `done`, and what the person should know besides."""
    found = checked.account
    if checked.warning:
        program.warn(checked.warning)
    if json:
        program.print_json(document(found))
        return
    who = f", as {found.user}" if found.user else ""
    if not checked.warning or done != "is good":
        program.print(f"{found.name} ({found.platform}{who}) {done}{_end(program, found)}")


def _end(program: Program, found: Account) -> str:
    """When its login ends, if that is known."""
    from postsched.domain.when import describe

    if found.token_expires_at is None:
        return ""
    return f"; its login ends {describe(found.token_expires_at, program.now(), program.zone)}"


def row(found: Account) -> tuple[Cell, ...]:
    """One line of the list, for COLUMNS."""
    state = found.state.value + (" paused" if found.paused else "")
    return (
        (found.name, ""),
        (found.platform, ""),
        (found.user or "", ""),
        (state, "red" if found.state.value == "login" else ""),
        (found.url or "", ""),
    )


def document(found: Account, program: Program | None = None) -> dict[str, Any]:
    """The account as JSON; with `program` also what is known of its server and its secret."""
    from postsched.service.account_document import account_document

    written = account_document(found)
    if program is not None:
        written["facts"] = dict(found.facts)
        written["secret"] = _secret_source(program, found)
    return written


def _secret_source(program: Program, found: Account) -> str | None:
    """Where its secret is; a keyring that fails is warned of."""
    from postsched import platforms
    from postsched.domain.errors import PostschedError

    try:
        if not platforms.get(found.platform).needs_secret:
            return None
        return program.secrets.source(found.name)
    except PostschedError as error:
        program.warn(str(error))
        return None


def account_named(program: Program, name: str) -> Account:
    """The account of that name. Raises NotFound."""
    from postsched.service.accounts import one

    with program.database.read() as connection:
        return one(connection, name)
