"""account login: in the browser, by paste, or with a secret where the network has no login of its
own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from postsched.cli import streams
from postsched.cli.account_view import account_named, answer
from postsched.cli.characters import printable
from postsched.cli.completion import complete_account
from postsched.cli.options import Json
from postsched.cli.program import Program
from postsched.domain.errors import InvalidInput, NotAllowed, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from postsched.domain.account import Account
    from postsched.platforms.oauth import Client, OAuth
    from postsched.service.accounts import Checked
    from postsched.service.logging_in import Consent

PATIENCE = 300.0
"""Seconds a browser may take to come back."""
LONGEST_LINE = 16_384
"""Bytes of a line that is typed, pasted or piped."""
TRIES = 3
"""How often a person may paste."""
EXAMPLES = (
    "Examples:\n\npostsched account login me\n\npostsched account login me --no-browser\n\n"
    "postsched account login li --client-id 86abc --client-secret-stdin"
)


def login(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete_account)],
    no_browser: Annotated[
        bool,
        typer.Option("--no-browser", help="Show the address, and take what you paste."),
    ] = False,
    client_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The app you log in by, else the client_id that is set."),
    ] = None,
    client_secret_stdin: Annotated[
        bool, typer.Option("--client-secret-stdin", help="Read the app's secret from stdin.")
    ] = False,
    json: Json = False,
) -> None:
    """Log in to an account's network, in the browser; the account must have been added."""
    from postsched.service import logging_in

    program: Program = ctx.obj
    account = _account(program, name)
    oauth = logging_in.description(program.desk, account)
    client = _client(program, account, client_id, from_stdin=client_secret_stdin)
    if oauth is None:
        checked = _with_secret(program, account, client)
    else:
        checked = _with_consent(program, account, oauth, client, no_browser=no_browser)
    answer(program, checked, "is logged in", json=json)


def _account(program: Program, name: str) -> Account:
    try:
        return account_named(program, name)
    except NotFound as error:
        add = f"Add it first: postsched account add {name} --platform PLATFORM"
        others = error.hint if error.hint and "account add" not in error.hint else ""
        between = " " if others.endswith("?") else ". " if others else ""
        raise NotFound(error.message, f"{others}{between}{add}") from None


def _client(
    program: Program, account: Account, client_id: str | None, *, from_stdin: bool
) -> Client | None:
    """The app that was named, None for none."""
    from postsched.platforms.oauth import Client
    from postsched.secrets import parse

    if client_id is not None and not (client_id.strip() and client_id.isprintable()):
        raise InvalidInput(f"{client_id!r} is no client id", "Copy it from the app's page")
    if not from_stdin:
        return None if client_id is None else Client(client_id.strip())
    client_id = client_id or program.settings.platform(account.platform).client_id
    if not client_id:
        raise InvalidInput("it isn't said whose secret it is", "Give --client-id too")
    secret = parse(_secret_line("Client secret: ")).reveal()
    if not isinstance(secret, str):
        raise InvalidInput("the client secret is no JSON object", "Give it as it is")
    return Client(client_id.strip(), secret)


def _with_secret(program: Program, account: Account, client: Client | None) -> Checked:
    """Ask for the secret that the network wants instead of a login in the browser."""
    from postsched import platforms
    from postsched.cli.asking import hidden
    from postsched.secrets import parse
    from postsched.service import accounts

    platform = platforms.get(account.platform)
    if client is not None:
        raise InvalidInput(f"{platform.title} has no login by an app", "Leave out --client-…")
    _tell(f"{platform.title} wants {platform.login_hint}.")
    typed = hidden(f"Secret for {account.name}, not shown: ")
    if typed is None:
        raise InvalidInput(
            "there is no terminal to ask for the secret on",
            f"Pipe it in: postsched account set {account.name} --token-stdin",
        )
    return accounts.set_secret(
        program.desk, program.secrets, account, parse(typed), same_person=True
    )


def _with_consent(
    program: Program, account: Account, oauth: OAuth, client: Client | None, *, no_browser: bool
) -> Checked:
    from postsched.cli import browser
    from postsched.service import logging_in

    open_ = None if no_browser else browser.find(program.environ)
    pasting = open_ is None or not oauth.loopback
    if open_ is None and not no_browser and not sys.stdin.isatty():
        raise InvalidInput(
            "there is no browser to open here, and no terminal to paste its answer on",
            f"At a terminal: postsched account login {account.name} --no-browser",
        )
    consent = logging_in.begin(program.desk, program.secrets, account, client, pasting=pasting)
    if not pasting and open_ is not None:
        return _by_listening(program, consent, open_)
    return _by_paste(program, consent, open_)


def _by_listening(program: Program, consent: Consent, open_: Callable[[str], None]) -> Checked:
    from postsched.cli import callback
    from postsched.service import logging_in

    with callback.Listener(consent.redirect_uri, consent.code_in) as listener:
        _tell(f"Log in in your browser. If it does not open, visit:\n\n{consent.url}\n")
        open_(consent.url)
        arrival = listener.wait(PATIENCE)
        if arrival is None:
            raise NotAllowed(
                f"the browser did not come back within {PATIENCE / 60:g} minutes",
                "Try again; with a browser on another machine: --no-browser",
            )
        if arrival.error is not None:
            arrival.show(callback.REFUSED)
            raise arrival.error
        try:
            checked = logging_in.finish(program.desk, program.secrets, consent, arrival.code)
        except BaseException:
            arrival.show(callback.FAILED)
            raise
        arrival.show(callback.LOGGED_IN)
        return checked


def _by_paste(program: Program, consent: Consent, open_: Callable[[str], None] | None) -> Checked:
    from postsched.service import logging_in

    _tell(f"Log in here, in any browser:\n\n{consent.url}\n")
    if open_ is not None:
        open_(consent.url)
    if consent.shows_code:
        _tell("You are then shown a code. Paste it here:")
    else:
        _tell(
            f"You are then sent to an address that begins with {consent.redirect_uri}\n"
            "It need not open. Copy the whole address, quickly, and paste it here:"
        )
    code = _pasted(program, consent)
    return logging_in.finish(program.desk, program.secrets, consent, code)


def _pasted(program: Program, consent: Consent) -> str:
    """The code that a person pastes, who may try again at a terminal."""
    for left in reversed(range(TRIES)):
        line = _line()
        if not line:
            raise InvalidInput("nothing was pasted", "Run it at a terminal")
        try:
            return consent.code_pasted(line)
        except InvalidInput as error:
            if not left or not sys.stdin.isatty():
                raise
            program.complain(f"{error}. Try again:")
    raise AssertionError("the last try raises")


def _secret_line(question: str) -> str:
    """One line of stdin, or what is typed unseen at the terminal."""
    from postsched.cli.asking import hidden

    return (hidden(question) or "") if sys.stdin.isatty() else _stdin_line()


def _line() -> str:
    """One line of stdin; where that has ended, as after a secret from a pipe, of the terminal."""
    line = _stdin_line()
    if line or sys.stdin.isatty() or not sys.stderr.isatty():
        return line.strip()
    try:
        with open("/dev/tty", encoding="utf-8", errors="replace") as terminal:
            return terminal.readline(LONGEST_LINE).strip()
    except OSError:
        return ""


def _stdin_line() -> str:
    try:
        return sys.stdin.buffer.readline(LONGEST_LINE).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("what came on stdin is not UTF-8 text") from None


def _tell(text: str) -> None:
    """What the person needs for going on: to stderr, whatever --quiet says."""
    streams.write(sys.stderr, printable(text, sys.stderr) + "\n")
    streams.flush(sys.stderr)
