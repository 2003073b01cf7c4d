"""run, publish-due, status and demo."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from postsched.cli import watching
from postsched.cli.options import Json
from postsched.cli.program import Program
from postsched.cli.tally import Tally
from postsched.cli.working import engine_for, reloading, supervisor, tell
from postsched.domain.errors import InvalidInput, advised
from postsched.store import outlook

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from postsched.engine.assembly import Engine
    from postsched.store.queue import Work

app = typer.Typer()
SHARE = 0.3
"""Seconds that publish-due gives to what is long over."""


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
        bool, typer.Option("--until-idle", help="End once everything is out.")
    ] = False,
    no_live: Annotated[
        bool, typer.Option("--no-live", help="Log lines, on a terminal too.")
    ] = False,
    log_format: Annotated[
        str, typer.Option(metavar="text|json", help="What log lines look like (text).")
    ] = "text",
) -> None:
    """Send posts at their time, until stopped (SIGTERM, Ctrl-C).

    On a terminal a live view shows what is next, what is in flight and what became of it;
    elsewhere it is one line on stderr for each event. What is added, edited or cancelled meanwhile
    is noticed at once.

    Stopping begins nothing new and waits for the answers that are under way; a second Ctrl-C ends
    at once. With --until-idle it ends when nothing is scheduled, retrying or in flight, and is
    refused where a series never ends. Posts that are paused, or whose account has to log in, don't
    keep it; nor do those of an account whose secret can't be read here, which another process may
    send. It exits with 1 if a post failed, or is due and waits for a login that was refused, and
    with 4 if one waits for a secret.

    SIGHUP reads the settings again, while posts go out on time; if they can't be, all stays as it
    was. Those of where secrets are need a new start. At a terminal SIGHUP ends it in order.
    """
    import asyncio

    from postsched.engine.scheduler import run as run_engine

    program: Program = ctx.obj
    if log_format not in ("text", "json"):
        raise InvalidInput(f"there is no log format {log_format!r}", "Say text or json")
    program.expect_database()
    program.expect_no_move()
    if until_idle:
        _expect_an_end(program)
    tally = Tally()
    live = not no_live and log_format == "text" and watching.is_possible(program)
    engine = engine_for(program, "run", concurrency)
    view = view_of(program, engine, tally, live=live, form=log_format, until_idle=until_idle)
    with view:
        held = sys.stdin is not None and sys.stdin.isatty()
        engine = asyncio.run(
            run_engine(
                engine,
                until_idle=until_idle,
                started=view.started,
                # At a terminal, SIGHUP says that it was closed.
                reload=None if live or held else reloading(program, concurrency, engine),
                supervisor=supervisor(program),
            )
        )
        watching.log.info("stopped: %s", tally.sentence() or "nothing was due")
    engine.database.close()  # so that it is one file again, which can be copied
    if until_idle:
        code = _say_what_stays(program, engine)
        failed = tally.failed or engine.dispatcher.failures or _doubtful(engine)
        raise typer.Exit(1 if failed else code)


def _expect_an_end(program: Program) -> None:
    """Raise InvalidInput for a series that never ends: this would never be idle."""
    from postsched.domain.recurrence import describe, is_endless
    from postsched.store import chains
    from postsched.store import posts as post_rows

    with program.database.read() as connection:
        schedules = post_rows.schedule_of(connection, chains.leading(connection))
    for post_id, schedule in schedules.items():
        if is_endless(schedule):
            said = describe(schedule, program.now())
            raise InvalidInput(
                f"post {post_id} goes out {said}, for ever, so this would never be idle",
                "Leave --until-idle away, or give it an end: "
                f"postsched edit {post_id} --until DATE",
            )


@app.command(
    name="publish-due",
    epilog="Examples:\n\npostsched publish-due\n\n"
    "* * * * * postsched -q publish-due    (in a crontab)",
)
def publish_due(
    ctx: typer.Context,
    json: Json = False,
) -> None:
    """Send what is due now, wait for the answers, and end: for cron.

    Safe beside `run` and beside itself. What is to be retried later is left to the next call. It
    exits with 1 if a post failed, or waits for a login that was refused, and with 4 if one waits
    for a secret that can't be read.
    """
    import asyncio

    program: Program = ctx.obj
    program.expect_database()
    program.expect_no_move()
    tally = Tally(keep=True)
    watching.log_to_stderr(program)
    unread = failures = doubtful = 0
    if _something_is_due(program):
        engine = engine_for(program, "publish-due", None)
        engine.dispatcher.on_event = watching.logging_events(tally)
        engine.dispatcher.access.loud = False  # it is said below, with what waits for it
        asyncio.run(_drain(engine))
        unread = _complain_of_secrets(program, engine, program.now())
        failures = engine.dispatcher.failures
        doubtful = _doubtful(engine)
        engine.database.close()  # so that it is one file again, which can be copied
    refused = _complain_of_logins(program)
    waiting = _say_what_waits(program)
    tell(program)
    if json:
        program.print_json(tally.document())
    elif not program.quiet:
        held = refused or unread or failures or waiting
        nothing = "Nothing went out" if held else "Nothing was due"
        program.print(tally.sentence() or nothing)
    failed = tally.failed or refused or failures or doubtful
    raise typer.Exit(1 if failed else 4 if unread else 0)


def _doubtful(engine: Engine) -> int:
    """How many deliveries a person has to look at as the database is a copy from before."""
    return engine.rewound.unconfirmed if engine.rewound else 0


async def _drain(engine: Engine) -> None:
    try:
        await engine.dispatcher.drain()
        if engine.upkeep is not None:
            await engine.upkeep.share(SHARE)
    finally:
        await engine.stop()
        await engine.close()


@app.command(epilog="Examples:\n\npostsched status\n\npostsched status --json")
def status(ctx: typer.Context, json: Json = False) -> None:
    """Health at a glance."""
    from postsched.cli.overview import status_page
    from postsched.service.state import status_document

    program: Program = ctx.obj
    program.expect_database()
    document = status_document(program.desk)
    if json:
        program.print_json(document)
    else:
        program.show(status_page(program, document))


def _something_is_due(program: Program) -> bool:
    """One read, so that a minutely cron line costs next to nothing when there is nothing to do."""
    from postsched.store import accounts as account_rows
    from postsched.store import hosted
    from postsched.store.zone_notes import is_followed

    now = program.now()
    with program.database.read() as connection:
        if hosted.is_due(connection, now):
            return True  # something at the media host is of no use any more
        if not is_followed(connection):
            return True  # what is not due by the old rules of its zone may be by the new ones
        look = outlook.look(connection, 0)
        refused = [a for a in account_rows.every(connection) if a.state.value == "login"]
    if any(program.secrets.in_environment(a.name) for a in refused):
        return True  # the variable may hold another secret now: give it a try
    late = look.grace_ends is not None and look.grace_ends < now
    return late or bool(look.foreign) or any(lane.next_at <= now for lane in look.lanes)


def _complain_of_logins(program: Program) -> int:
    """Say for which accounts posts are due that can't go out; how many deliveries that are."""

    with program.database.read() as connection:
        refused = outlook.held_by_login(connection, program.now())
    for account, count in refused:
        waiting = "post waits" if count == 1 else "posts wait"
        program.complain(
            f"{count} due {waiting} for {account.name}, which is held: "
            f"{account.state_message or 'its login is refused'}"
        )
    return sum(count for _, count in refused)


def _complain_of_secrets(program: Program, engine: Engine, upto: datetime | None = None) -> int:
    """Say what waits for accounts for which nothing can be sent from here, because their secret
    can't be read, and is due at `upto` (None: whenever); how many deliveries that are."""
    shut = engine.dispatcher.access.shut
    with program.database.read() as connection:
        counts = outlook.count_waiting(connection, list(shut), upto)
    for number, count in counts.items():
        problem = shut[number].problem
        why = advised(problem.message, problem.hint)
        program.complain(
            f"{count} {'due ' if upto else ''}{'post waits' if count == 1 else 'posts wait'} for "
            f"{shut[number].account.name}: {why}"
        )
    return sum(counts.values())


def _say_what_waits(program: Program) -> int:
    """Say what is due and waits for a network; for how many accounts that is."""
    from postsched.cli.limits import waiting_words

    said = waiting_words(program, program.now())
    for sentence in () if program.quiet else said:
        program.warn(sentence)
    return len(said)


def _say_what_stays(program: Program, engine: Engine) -> int:
    """Say what is left for a person to release, or for another worker; the exit code that is."""
    refused = _complain_of_logins(program)
    unread = _complain_of_secrets(program, engine)
    with program.database.read() as connection:
        stays = outlook.count_paused(connection)
    if stays:
        program.warn(
            f"{stays} {'delivery is' if stays == 1 else 'deliveries are'} paused and "
            f"{'stays' if stays == 1 else 'stay'}. See: postsched status"
        )
    return 1 if refused else 4 if unread else 0


def view_of(
    program: Program,
    engine: Engine,
    tally: Callable[[str, Work], None],
    *,
    live: bool,
    form: str,
    until_idle: bool = False,
) -> watching.View:
    """What shows the work of an engine."""
    if not live:
        return watching.LogView(program, engine, tally, form)
    from postsched.cli.live import LiveView

    return LiveView(program, engine, tally, until_idle=until_idle)
