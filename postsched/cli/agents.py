"""mcp: the use cases as tools for agents, over stdin and stdout."""

from __future__ import annotations

import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from postsched.cli import watching
from postsched.cli.program import Program
from postsched.domain.errors import InvalidInput
from postsched.domain.scope import Scope

app = typer.Typer()


@app.command(
    epilog="Examples:\n\npostsched mcp\n\npostsched mcp --scope read\n\n"
    "postsched mcp --scope write --media-dir ~/pictures/to-post"
)
def mcp(
    ctx: typer.Context,
    scope: Annotated[
        str, typer.Option(metavar="read|draft|write", help="What the agent may do (draft).")
    ] = Scope.DRAFT.value,
    media_dir: Annotated[
        str | None,
        typer.Option(
            "--media-dir", metavar="FOLDER", help="Files that the agent may post; with write."
        ),
    ] = None,
) -> None:
    """Serve an agent by the Model Context Protocol, on stdin and stdout.

    With read it looks. With draft, unless told otherwise, it also proposes posts as drafts, which
    go out when a person approves them. With write it does what a person can do with posts: they go
    out to the public without another question. Accounts, secrets and deliveries in doubt are never
    in its hands. A program starts this, not a person: see the README.
    """
    program: Program = ctx.obj
    granted = _scope(scope)
    root = _root(media_dir, granted)
    if find_spec("mcp") is None:
        raise InvalidInput("this needs the extra mcp", "Install it: pip install 'postsched[mcp]'")
    import anyio

    from postsched.agents.bench import Bench
    from postsched.agents.server import serve

    watching.log_to_stderr(program)
    program.expect_database()
    program.expect_no_move()
    bench = Bench(program.desk, program.secrets, program.rng, granted, root)
    if sys.stdin.isatty():
        program.say("This speaks the Model Context Protocol, for programs; end it with Ctrl-D")
    # A thread waits in a read of stdin that nothing but its end can break off.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        anyio.run(serve, bench)
    except* ConnectionError:  # the client is gone, and reads no answers any more
        pass


def _scope(word: str) -> Scope:
    try:
        return Scope(word)
    except ValueError:
        raise InvalidInput(f"there is no scope {word!r}", "Say read, draft or write") from None


def _root(folder: str | None, granted: Scope) -> Path | None:
    """The folder whose files may be posted."""
    if folder is None:
        return None
    if granted is not Scope.WRITE:
        raise InvalidInput("--media-dir goes with --scope write", "Give both, or leave it out")
    root = Path(folder).expanduser().resolve()
    if not root.is_dir():
        raise InvalidInput(f"there is no folder {folder}", "Name one that is there")
    return root
