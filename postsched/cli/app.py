"""The program itself: global options, commands by name, and what an error comes to.

The only place that turns errors into a sentence and an exit code.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from postsched.cli.program import Program
from postsched.domain.errors import (
    InvalidInput,
    NotAllowed,
    NotFound,
    PostschedError,
    SecretUnavailable,
    StoreUnavailable,
)

EXIT_CODES: tuple[tuple[type[PostschedError], int], ...] = (
    (NotAllowed, 1),
    (InvalidInput, 2),
    (NotFound, 3),
    (StoreUnavailable, 4),
    (SecretUnavailable, 4),
)
COMMANDS = {
    "add": "compose",
    "list": "posts",
    "show": "posts",
    "edit": "compose",
    "cancel": "posts",
    "delete": "posts",
    "pause": "posts",
    "resume": "posts",
    "retry": "posts",
    "resolve": "posts",
    "publish-due": "running",
    "run": "running",
    "status": "running",
    "history": "posts",
    "import": "exchange",
    "export": "exchange",
    "account": "accounts",
    "platforms": "accounts",
    "demo": "running",
    "doctor": "upkeep",
    "backup": "upkeep",
    "restore": "upkeep",
}
"""Command -> the module under `postsched.cli` that has it."""


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        if cmd_name not in self.commands:
            module = importlib.import_module(f"postsched.cli.{COMMANDS[cmd_name]}")
            self.commands.update(typer.main.get_group(module.app).commands)
        return self.commands[cmd_name]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As usual, but with all names to choose from when one is misspelt."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from postsched.domain.nearest import did_you_mean

            ctx.fail(f"there is no command {args[0]!r}. {did_you_mean(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=LazyGroup,
    name="postsched",
    help="Schedule social posts from the terminal: no server, exactly once, to the second.",
    no_args_is_help=True,
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
    ctx.obj.take_options(db, config, verbose, quiet)


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code. Says every error in one line on stderr."""
    program = Program(os.environ)
    command = typer.main.get_command(app)
    try:
        code = command.main(
            list(arguments), prog_name="postsched", standalone_mode=False, obj=program
        )
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        # Whoever read our output has gone: nothing more can be said there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (typer.Abort, KeyboardInterrupt):
        program.complain("stopped")
        return 130
    except TyperException as error:
        program.complain(_usage(error))
        return 2
    except PostschedError as error:
        return _report(program, error)
    except Exception as error:  # noqa: BLE001 - the last line of defence
        return _report_bug(program, error)
    finally:
        program.close()
        logging.shutdown()


def _report(program: Program, error: PostschedError) -> int:
    if program.verbosity >= 2:
        import traceback

        traceback.print_exc()
    program.complain(str(error))
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 1)


def _report_bug(program: Program, error: Exception) -> int:
    if program.verbosity >= 2:
        import traceback

        traceback.print_exc()
    what = " ".join(str(error).split()) or "no more is known"
    program.complain(
        f"this is a bug in postsched ({type(error).__name__}: {what[:300]}). "
        "Please report it with the output of the same command with -vv"
    )
    return 1


def _usage(error: TyperException) -> str:
    message = error.format_message().strip().rstrip(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "postsched"
    text = " ".join(message.split())
    if not text.endswith("?"):
        text += "."
    return f"{text[:1].lower()}{text[1:]} See: {path} --help"
