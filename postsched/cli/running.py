"""run, publish-due, status and demo."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from postsched.cli.options import Json
from postsched.cli.program import Program
from postsched.domain.errors import InvalidInput

if TYPE_CHECKING:
    from postsched.engine.assembly import Engine
    from postsched.store.queue import Work

app = typer.Typer()


@app.command(
    epilog="Examples:\n\npostsched run\n\npostsched run --until-idle --no-live\n\n"
    "postsched run --log-format json"
)
def run(
    ctx: typer.Context,
    concurrency: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=1000, help="Requests at once, a platform (10)."),
    ] = None,
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="End when nothing is left to send.")
    ] = False,
    no_live: Annotated[bool, typer.Option("--no-live", help="Log lines, also here.")] = False,
    log_format: Annotated[str, typer.Option(metavar="text|json", help="The log lines.")] = "text",
) -> None:
    """Send posts at their time, until stopped (SIGTERM, Ctrl-C)."""
    from postsched.cli import watching
    from postsched.engine.scheduler import run as run_engine

    program: Program = ctx.obj
    if log_format not in ("text", "json"):
        raise InvalidInput(f"there is no log format {log_format!r}", "Say text or json")
    tally = Tally()
    live = not no_live and log_format == "text" and watching.is_possible()
    engine = _engine(program, "run", concurrency)
    view = watching.view(program, engine, tally, live=live, log_format=log_format)
    with view:
        asyncio.run(run_engine(engine, until_idle=until_idle, started=view.started))
    if until_idle:
        _say_what_waits(program)
        raise typer.Exit(1 if tally.failed else 0)


@app.command(
    name="publish-due",
    epilog="Examples:\n\npostsched publish-due\n\n"
    "* * * * * postsched publish-due    (in a crontab)",
)
def publish_due(
    ctx: typer.Context,
    json: Json = False,
) -> None:
    """Send what is due now, wait for the answers, and end: for cron."""
    from postsched.cli import watching

    program: Program = ctx.obj
    tally = Tally()
    watching.log_to_stderr(program)
    if _something_is_due(program):
        engine = _engine(program, "publish-due", None)
        engine.dispatcher.on_event = tally
        asyncio.run(_drain(engine))
    held = _held_back(program)
    if json:
        program.print_json(tally.document())
    elif tally.deliveries or not program.quiet:
        program.print(tally.sentence())
    for sentence in held:
        program.complain(sentence)
    raise typer.Exit(1 if tally.failed or held else 0)


async def _drain(engine: Engine) -> None:
    try:
        await engine.dispatcher.drain()
    finally:
        await engine.stop()
        await engine.close()


@app.command(epilog="Examples:\n\npostsched status\n\npostsched status --json")
def status(ctx: typer.Context, json: Json = False) -> None:
    """Health at a glance."""
    from postsched.cli.overview import status_document, status_page

    program: Program = ctx.obj
    document = status_document(program)
    if json:
        program.print_json(document)
    else:
        program.print(status_page(program, document))


class Tally:
    """Counts what a run came to; called by the engine with a word and a work at each event."""

    COUNTED = ("published", "failed", "retrying", "confirming", "unconfirmed", "missed")

    def __init__(self) -> None:
        self.deliveries: dict[int, Work] = {}

    def __call__(self, word: str, work: Work) -> None:
        if word != "sending":
            self.deliveries[work.delivery.id] = work

    def count(self, word: str) -> int:
        """How many deliveries ended up so."""
        return sum(work.delivery.status.value == word for work in self.deliveries.values())

    @property
    def failed(self) -> bool:
        """Whether something needs a person."""
        return any(
            work.delivery.status.value in ("failed", "unconfirmed")
            or (work.delivery.status.value == "missed" and work.post.missed.value == "ask")
            for work in self.deliveries.values()
        )

    def document(self) -> dict[str, Any]:
        """The JSON of publish-due."""
        from postsched.transfer.documents import delivery_document

        counts = {word: self.count(word) for word in self.COUNTED}
        works = self.deliveries.values()
        return {**counts, "deliveries": [delivery_document(work.delivery) for work in works]}

    def sentence(self) -> str:
        """The same in words."""
        counts = [(self.count(word), word) for word in self.COUNTED]
        words = ", ".join(f"{count} {word}" for count, word in counts if count)
        return words or "Nothing was due"


def _engine(program: Program, kind: str, concurrency: int | None) -> Engine:
    from dataclasses import replace

    from postsched.engine.assembly import assemble
    from postsched.engine.clock import SystemClock
    from postsched.store.database import open_database

    settings = program.settings
    if concurrency is not None:
        total = max(settings.concurrency_total, concurrency)
        settings = replace(settings, concurrency=concurrency, concurrency_total=total)
    # The daemon waits less for another writer: it tries again by itself, and stays responsive.
    database = open_database(settings.database, patience=2.0)
    return assemble(database, settings, program.secrets, SystemClock(), program.rng, kind)


def _something_is_due(program: Program) -> bool:
    """One read, so that a minutely cron line costs next to nothing when there is nothing to do."""
    from postsched.store import accounts as account_rows
    from postsched.store import queue

    now = program.now()
    with program.database.read() as connection:
        look = queue.look(connection, 0)
        refused = [a for a in account_rows.every(connection) if a.state.value == "login"]
    if any(program.secrets.in_environment(a.name) for a in refused):
        return True  # the variable may hold another secret now: give it a try
    return bool(look.foreign) or any(lane.next_at <= now for lane in look.lanes)


def _held_back(program: Program) -> list[str]:
    """A sentence for each account whose login is refused while posts of it are due."""
    from postsched.store import queue

    now = program.now()
    with program.database.read() as connection:
        waiting = queue.held_by_login(connection, now)
    return [
        f"{count} due {'post waits' if count == 1 else 'posts wait'} for {account.name}, whose "
        f"login is refused: {account.state_message or 'unknown'}"
        for account, count in waiting
    ]


def _say_what_waits(program: Program) -> None:
    from postsched.domain.delivery import DeliveryStatus
    from postsched.store import queue

    with program.database.read() as connection:
        counts = queue.count_by_status(connection)
    waiting = sum(counts[DeliveryStatus(word)] for word in ("scheduled", "retrying", "confirming"))
    if waiting:
        program.warn(f"{waiting} deliveries wait for a person: see postsched status")
