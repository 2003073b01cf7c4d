"""The program itself: global options, commands by name, and the line that no error passes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from postsched.cli import streams
from postsched.cli.complaints import complaint
from postsched.cli.completion import COMPLETING, join_options, spare_rich
from postsched.cli.group import Group
from postsched.cli.manual import with_pages
from postsched.cli.program import Program

COMMANDS = {
    "add": ("compose", "Write a post."),
    "preview": ("preview", "Show what each account would get, and write nothing."),
    "list": ("posts", "What is coming, and what went out lately."),
    "next": ("upcoming", "Every firing to come, series expanded."),
    "calendar": ("calendar", "A month or a week at a glance, or as an iCalendar file."),
    "show": ("posts", "One post with its schedule, deliveries and every attempt."),
    "edit": (
        "editing",
        "Change a post of which nothing is out; without options, in your editor.",
    ),
    "approve": ("approving", "Let drafts go out at the time that each names."),
    "check": ("check", "Look for what would keep posts from going out; asks no network."),
    "cancel": ("deliveries", "Cancel what has not gone out."),
    "delete": ("deliveries", "Remove published posts from their networks."),
    "pause": ("deliveries", "Hold posts, an account, or everything."),
    "resume": ("deliveries", "Release what was held; what is past its grace is missed."),
    "retry": ("deliveries", "Send failed, missed or cancelled deliveries again."),
    "resolve": (
        "deliveries",
        "Settle a delivery of which the network can't tell whether it went out.",
    ),
    "slots": ("slots", "Weekly posting slots: add, list, remove."),
    "queue": ("queue", "What sits in the slots, and the order of it."),
    "publish-due": ("running", "Send what is due now, wait for the answers, and end: for cron."),
    "run": ("running", "Send posts at their time, until stopped (SIGTERM, Ctrl-C)."),
    "serve": ("serving", "Send posts at their time, as run does, and take them over HTTP."),
    "status": ("running", "Health at a glance."),
    "history": ("posts", "Finished deliveries with their permalinks, newest first."),
    "import": ("exchange", "Add the posts of files: JSON, JSON Lines, CSV, Markdown."),
    "export": ("exchange", "Write posts as data: all of them, or those named or chosen."),
    "account": ("accounts", "Where posts go: add, log in, check, set, remove, group."),
    "notify": ("notify", "Tell of failures: try every configured way, sign webhooks."),
    "webhook": ("webhooks", "Signed webhooks and callbacks: list, send again, test."),
    "token": ("tokens", "Tokens for the programs that use serve: add, list, revoke."),
    "mcp": ("agents", "Serve an agent by the Model Context Protocol, on stdin and stdout."),
    "media-host": (
        "media_host",
        "Where files are put for networks that fetch them: show, set its secret, check.",
    ),
    "platforms": ("accounts", "The platforms, and what each can do."),
    "demo": ("demo", "See it work: nothing to configure, nothing of yours is touched."),
    "doctor": ("upkeep", "Check everything, and say what to do about it."),
    "backup": ("upkeep", "Copy everything into one file, while everything runs."),
    "restore": (
        "upkeep",
        "Put a backup in the place of the database; postsched must not be running.",
    ),
    "copy": ("copying", "Move everything to another database, SQLite or PostgreSQL."),
    "prune": ("prune", "Let what is long over leave for the archive; make the file smaller."),
}
"""Command -> the module under `postsched.cli` that has it, and what the help says of it."""
CHAPTERS = {
    "What is coming": "list next calendar",
    "Posts": (
        "add preview show edit approve check cancel delete pause resume retry resolve slots queue"
    ),
    "Sending": "run serve mcp publish-due status history notify webhook token",
    "Accounts": "account media-host platforms",
    "Data": "import export backup restore copy prune",
    "First steps, and trouble": "demo doctor",
}
"""Title -> commands, as the help lists them."""


class LazyGroup(Group):
    """The commands: each is imported when it is called, not when it is listed."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order of the help."""
        return list(COMMANDS)

    def chapters(self, ctx: Any) -> list[tuple[str, list[str]]]:
        """The commands as the help lists them, under titles."""
        return [(title, names.split()) for title, names in CHAPTERS.items()]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """What the help and completion say of a command, without its module."""
        if cmd_name not in COMMANDS:
            return None
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name][1])

    def load(self, ctx: Any, name: str) -> Any:
        """The command itself."""
        return _load(name) if name in COMMANDS else None


def _load(name: str) -> Any:
    """A command from its module, without making the module's other commands."""
    app: typer.Typer = import_module(f"postsched.cli.{COMMANDS[name][0]}").app
    alone = typer.Typer(add_completion=False)
    alone.registered_groups = [one for one in app.registered_groups if one.name == name]
    alone.registered_commands = [
        one
        for one in app.registered_commands
        if name == (one.name or (one.callback.__name__ if one.callback else None))
    ]
    with_pages(alone.registered_commands)
    for group in alone.registered_groups:
        with_pages(group.typer_instance.registered_commands if group.typer_instance else ())
    return typer.main.get_group(alone).commands[name]


app = typer.Typer(
    cls=LazyGroup,
    name="postsched",
    help="Schedule social posts from the terminal: no server, exactly once, to the second.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        from postsched import __version__

        typer.echo(f"postsched {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    ctx: typer.Context,
    db: Annotated[
        str | None,
        typer.Option("--db", metavar="URL-OR-PATH", help="The database.", envvar="POSTSCHED_DB"),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option("--config", metavar="FILE", help="The settings.", envvar="POSTSCHED_CONFIG"),
    ] = None,
    verbose: Annotated[
        int, typer.Option("-v", "--verbose", count=True, help="Say more; twice: tracebacks.")
    ] = 0,
    quiet: Annotated[
        bool, typer.Option("-q", "--quiet", help="Say nothing but errors and data.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Say which version."),
    ] = False,
) -> None:
    if getattr(ctx.get_parameter_source("db"), "name", "") == "ENVIRONMENT":
        db = None  # it is read where it has its password
    ctx.obj.take_options(db, config, verbose, quiet)


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code. Says every error in one line on stderr."""
    streams.mend()
    with _own_environment() as environ:
        program = Program(environ)
        if COMPLETING in environ:
            return _complete(program, arguments)
        code = _guarded(program, lambda: _call(program, arguments))
        return _guarded(program, lambda: _end(program)) or code


SECRET = (
    "POSTSCHED_PASSPHRASE", "POSTSCHED_NEW_PASSPHRASE", "POSTSCHED_TOKEN_",
    "POSTSCHED_CLIENT_SECRET_",
    "POSTSCHED_WEBHOOK_SECRET", "POSTSCHED_MEDIA_HOST_SECRET", "POSTSCHED_JWT_SECRET",
    "POSTSCHED_WEBHOOK_URL", "POSTSCHED_NOTIFY_TARGETS", "POSTSCHED_NOTIFY_HEARTBEAT_URL",
)  # fmt: skip
"""How the names of variables begin that hold secrets."""


@contextmanager
def _own_environment() -> Iterator[Mapping[str, str]]:
    """The environment. Meanwhile the secrets in it are kept from the programs that we start,
    an editor or a browser; of a database's URL its password."""
    own = dict(os.environ)
    private = [name for name in own if name.startswith(SECRET)]
    for name in private:
        del os.environ[name]
    if "://" in (place := own.get("POSTSCHED_DB", "")):
        from postsched.store.naming import plain

        os.environ["POSTSCHED_DB"] = plain(place)
        private.append("POSTSCHED_DB")
    try:
        yield own
    finally:
        os.environ |= {name: own[name] for name in private}


def _complete(program: Program, arguments: Sequence[str]) -> int:
    """Answer a shell. Whatever fails, nothing is said: it would stand in the person's line."""
    spare_rich()
    join_options()
    try:
        return _call(program, arguments)
    except Exception:  # noqa: BLE001 - see above
        return 1


def _call(program: Program, arguments: Sequence[str]) -> int:
    command = typer.main.get_command(app)
    result = command.main(
        list(arguments), prog_name="postsched", standalone_mode=False, obj=program
    )
    return result if isinstance(result, int) else 0


def _end(program: Program) -> int:
    program.close()
    streams.flush(sys.stdout)
    return 0


def _guarded(program: Program, work: Callable[[], int]) -> int:
    """The exit code of a piece of work, whatever becomes of it."""
    try:
        return work()
    except (typer.Abort, KeyboardInterrupt):
        program.complain("stopped")
        return 130
    except Exception as error:  # noqa: BLE001 - the last line of defence
        if program.verbosity >= 2:
            import traceback

            streams.write(sys.stderr, traceback.format_exc())
        sentence, code = complaint(error)
        program.complain(sentence)
        return code
