"""serve: run, with the API over HTTP."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from postsched.cli import watching
from postsched.cli.program import Program
from postsched.cli.running import view_of
from postsched.cli.tally import Tally
from postsched.cli.working import engine_for, reloading, supervisor
from postsched.domain.errors import InvalidInput, NotAllowed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from socket import socket

    from postsched.engine.assembly import Engine
    from postsched.web.channel import Answer
    from postsched.web.metrics import Metrics

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
    from postsched.service.state import read_state
    from postsched.web.binding import bind
    from postsched.web.metrics import Metrics

    program.expect_database()
    program.expect_no_move()
    with bind(*place) as bound:
        if not no_auth:
            _expect_logins(program)
        tally, metrics = Tally(), Metrics(lambda: read_state(program.desk))
        live = not no_live and form == "text" and watching.is_possible(program)
        engine = engine_for(program, "run", concurrency)
        with view_of(program, engine, metrics.beside(tally), live=live, form=form) as view:
            again = None if live or _is_held() else reloading(program, concurrency, engine)
            order = {"host": place[0], "no_auth": no_auth}
            work = _Work(program, engine, metrics, again)
            engine = asyncio.run(work.run(bound, order, view.started))
            watching.log.info("stopped: %s", tally.sentence() or "nothing was due")
    engine.database.close()
    if work.hopeless is not None:
        raise NotAllowed(work.hopeless, "Posts went out until now: postsched run sends them alone")


class _Work:
    """An engine, and beside it the process that answers HTTP."""

    def __init__(
        self, program: Program, engine: Engine, metrics: Metrics, again: Callable[[], Engine] | None
    ) -> None:
        from postsched.web.readiness import EngineReadiness

        self._program, self._metrics, self._again = program, metrics, again
        self._ready = EngineReadiness(engine)
        self.hopeless: str | None = None
        """Why HTTP can't be served, if it can't."""

    async def run(
        self, bound: socket, order: Mapping[str, Any], started: Callable[[], None]
    ) -> Engine:
        """Work until it is stopped; the last engine."""
        from postsched.engine.scheduler import run
        from postsched.web.apart import Apart
        from postsched.web.binding import address_of

        stop, program, where = asyncio.Event(), self._program, address_of(bound)

        def listening() -> None:
            log.info("listening at %s", where)

        def hopeless(why: str) -> None:
            self.hopeless = why
            stop.set()

        apart = Apart(
            bound, {**program.places, **order}, _environment(program), self._answers(),
            program.settings.shutdown_timeout.total_seconds(), listening, hopeless,
        )  # fmt: skip

        def begin() -> None:
            started()
            self._ready.begin()
            apart.start()

        def renew() -> Engine:
            assert self._again is not None
            self._ready.engine = self._again()
            loop.call_soon_threadsafe(apart.reload)
            return self._ready.engine

        loop = asyncio.get_running_loop()
        return await run(
            self._ready.engine, stop=stop, started=begin, reload=renew if self._again else None,
            supervisor=supervisor(program), beside=apart,
        )  # fmt: skip

    def _answers(self) -> dict[str, Answer]:
        """What the other process may ask."""
        from postsched.engine.clock import SystemClock
        from postsched.engine.trial import try_address

        program = self._program

        async def metrics(accept: str) -> list[str]:
            body, kind = await asyncio.to_thread(self._metrics.exposition, accept)
            return [body.decode(), kind]

        async def try_hook(url: str) -> dict[str, Any]:
            settings, secrets = program.settings, program.secrets
            return (await try_address(settings, secrets, SystemClock(), url)).document()

        async def host_fault() -> str | None:
            return await asyncio.to_thread(program.desk.host_fault)

        async def callback_fault() -> str | None:
            return await asyncio.to_thread(program.desk.callback_fault)

        return {
            "metrics": metrics, "ready": self._ready, "try_hook": try_hook,
            "host_fault": host_fault, "callback_fault": callback_fault,
        }  # fmt: skip


KEPT_BACK = (
    "POSTSCHED_PASSPHRASE", "POSTSCHED_NEW_PASSPHRASE", "POSTSCHED_TOKEN_",
    "POSTSCHED_CLIENT_SECRET_", "POSTSCHED_WEBHOOK_SECRET", "POSTSCHED_MEDIA_HOST_SECRET",
)  # fmt: skip
"""How the names of variables begin that the process that answers HTTP has no use for."""


def _environment(program: Program) -> dict[str, str]:
    """That of the process that answers HTTP: with the settings that are in ours, and the secret of
    JWTs, but without any other."""
    own = program.environ.items()
    return {name: value for name, value in own if not name.startswith(KEPT_BACK)}


def _expect_logins(program: Program) -> None:
    """Raise InvalidInput for settings by which nobody could log in; say it where nobody can yet."""
    import time

    from postsched.service import tokens

    web = program.settings.web
    if web.jwt_algorithm is not None:
        from postsched.web.bearer import VARIABLE, Jwts

        Jwts(web, program.environ.get(VARIABLE), time.monotonic)
    elif not tokens.every(program.desk):
        program.warn("nobody can be let in yet: postsched token add NAME --scope write")


def _expect_installed() -> None:
    """Raise InvalidInput where the extra is missing, before anything of it is loaded."""
    from importlib.util import find_spec

    for name in NEEDED:
        if find_spec(name) is None:
            raise InvalidInput(
                f"this needs the extra web ({name} is missing)",
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
