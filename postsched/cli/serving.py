"""serve: run, with the API over HTTP."""

from __future__ import annotations

import asyncio
import logging
import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from postsched.cli import watching
from postsched.cli.program import Program
from postsched.cli.running import view_of
from postsched.cli.tally import Tally
from postsched.cli.working import engine_for, reloading, supervisor
from postsched.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

    from postsched.engine.assembly import Engine
    from postsched.web.auth import Authenticate
    from postsched.web.readiness import EngineReadiness
    from postsched.web.serving import Serving

app = typer.Typer()
log = logging.getLogger("postsched.web")
NEEDED = ("fastapi", "uvicorn", "jwt", "prometheus_client")
"""What the extra brings."""


@app.command(
    epilog="Examples:\n\npostsched serve\n\npostsched serve --no-auth --port 8720\n\n"
    "postsched serve --host 0.0.0.0 --log-format json"
)
def serve(
    ctx: typer.Context,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Where to listen (127.0.0.1).")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, max=65_535, help="At which port; 0: any (8720)."),
    ] = None,
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Ask nobody who they are; on this machine only.")
    ] = False,
    concurrency: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=1000, help="Requests at once, a platform (10)."),
    ] = None,
    no_live: Annotated[
        bool, typer.Option("--no-live", help="Log lines, on a terminal too.")
    ] = False,
    log_format: Annotated[
        str, typer.Option(metavar="text|json", help="What log lines look like (text).")
    ] = "text",
) -> None:
    """Send posts at their time, as run does, and take them over HTTP.

    The page for people is at /: calendar, composer, queue, and what needs a hand. The API is at
    /api/v1, its OpenAPI document at /api/v1/openapi.json. People sign in with a token that
    "token add" made, programs show one. With --no-auth whoever uses this machine may do
    everything, and it listens to no other.

    Stopping takes no more requests, answers those that are under way, and then stops like run.
    Needs the extra "web".
    """
    program: Program = ctx.obj
    if log_format not in ("text", "json"):
        raise InvalidInput(f"there is no log format {log_format!r}", "Say text or json")
    _expect_installed()
    place = (host or program.settings.web.host, program.settings.web.port if port is None else port)
    if no_auth:
        _expect_loopback(place[0])
    _serve(program, place, concurrency, log_format, no_auth=no_auth, no_live=no_live)


def _serve(
    program: Program,
    place: tuple[str, int],
    concurrency: int | None,
    form: str,
    *,
    no_auth: bool,
    no_live: bool,
) -> None:
    from postsched.engine.clock import SystemClock
    from postsched.engine.trial import try_address
    from postsched.web.readiness import EngineReadiness
    from postsched.web.serving import bind

    program.expect_database()
    program.expect_no_move()
    with bind(*place) as bound:
        tally = Tally()
        live = not no_live and form == "text" and watching.is_possible(program)
        api, serving = _serving(program, bound, place[0], no_auth=no_auth)
        engine = engine_for(program, "run", concurrency)
        ready = EngineReadiness(engine)
        api.state.ready = ready
        api.state.try_hook = partial(try_address, program.settings, program.secrets, SystemClock())
        view = view_of(program, engine, api.state.metrics.beside(tally), live=live, form=form)
        with view:
            again = None if live or _is_held() else reloading(program, concurrency, engine)
            engine = asyncio.run(_work(program, ready, serving, view.started, again))
            watching.log.info("stopped: %s", tally.sentence() or "nothing was due")
    engine.database.close()


async def _work(
    program: Program,
    ready: EngineReadiness,
    serving: Serving,
    started: Callable[[], None],
    again: Callable[[], Engine] | None,
) -> Engine:
    from postsched.engine.scheduler import run

    def begin() -> None:
        started()
        ready.begin()
        serving.start()

    def renew() -> Engine:
        assert again is not None
        ready.engine = again()
        return ready.engine

    return await run(
        ready.engine, started=begin, reload=renew if again else None,
        supervisor=supervisor(program), beside=serving,
    )  # fmt: skip


def _serving(
    program: Program, bound: object, host: str, *, no_auth: bool
) -> tuple[FastAPI, Serving]:
    from socket import socket

    from postsched.web.app import create_app
    from postsched.web.serving import Serving, address_of

    assert isinstance(bound, socket)
    where = address_of(bound)
    desk = program.desk  # opens the database here, in this thread
    api = create_app(
        lambda: program.desk, _authenticate(program, no_auth), desk.settings.web, host=host
    )
    patience = desk.settings.shutdown_timeout.total_seconds()
    return api, Serving(api, bound, patience, lambda: log.info("listening at %s", where))


def _authenticate(program: Program, no_auth: bool) -> Authenticate:
    from postsched.web.auth import without_login

    if no_auth:
        return without_login
    import time

    from postsched.service import tokens
    from postsched.web.bearer import VARIABLE, Bearers, Jwts
    from postsched.web.serving import in_thread

    if program.settings.web.jwt_algorithm is None and not tokens.every(program.desk):
        program.warn("nobody can be let in yet: postsched token add NAME --scope write")
    secret = program.environ.get(VARIABLE)
    return Bearers(program.desk, Jwts(program.settings.web, secret, time.monotonic), in_thread)


def _expect_installed() -> None:
    """Raise InvalidInput where the extra is missing, before anything of it is loaded."""
    from importlib.util import find_spec

    for name in NEEDED:
        if find_spec(name) is None:
            raise InvalidInput(
                f"serve needs {name}, which is not installed",
                "Install it: pip install 'postsched[web]'",
            )


def _expect_loopback(host: str) -> None:
    """Raise InvalidInput for an address that others can reach."""
    from postsched.web.hosts import is_loopback

    if not is_loopback(host):
        raise InvalidInput(
            f"--no-auth at {host} would let in whoever can reach it",
            "Make a token (postsched token add), or listen at 127.0.0.1",
        )


def _is_held() -> bool:
    """Whether a terminal holds this process: SIGHUP then says that it was closed."""
    return sys.stdin is not None and sys.stdin.isatty()
