"""calendar: a month or a week in the terminal, as JSON, or as an iCalendar file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from postsched.cli.choice import OnlyTag, among_of
from postsched.cli.options import Account, Json
from postsched.cli.program import Program
from postsched.domain.errors import InvalidInput

if TYPE_CHECKING:
    from postsched.domain.firing import Firing
    from postsched.domain.spans import Span
    from postsched.service.firings import Day, Outlook

app = typer.Typer()
READ = 40
"""Firings of a day that are looked at; the rest is counted."""
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[MONTH]",
        help="2026-12, dec, december 2026, next, last; with --week a day of it, or next, last.",
    ),
]
Week = Annotated[bool, typer.Option("--week", help="A week: this one, or that of a day.")]
Format = Annotated[
    str | None, typer.Option("--format", metavar="ics", help="An iCalendar file (RFC 5545).")
]
Output = Annotated[
    str, typer.Option("--output", "-o", metavar="FILE", help="Where the iCalendar file goes.")
]


@app.command(
    epilog="""Examples:

postsched calendar

postsched calendar december 2026

postsched calendar --week 2026-12-24 --account me

postsched calendar --format ics --output posts.ics

An iCalendar file has what is to come in the next 12 months, or all of the month or week that you
name. Reading a newer one updates the events of the older one."""
)
def calendar(
    ctx: typer.Context,
    month: Words = None,
    week: Week = False,
    format_: Format = None,
    output: Output = "-",
    account: Account = None,
    tag: OnlyTag = None,
    json: Json = False,
) -> None:
    """A month or a week at a glance, or as an iCalendar file."""
    from postsched.service.firings import Outlook
    from postsched.store.firing_rows import FiringRows

    program: Program = ctx.obj
    ics = _is_ics(format_, output, json=json)
    span = _span(program, " ".join(month or ()), week=week)
    program.expect_database()
    with program.database.read() as connection:
        rows = FiringRows(connection, among_of(connection, account, tag))
        outlook = Outlook(rows, program.now(), lambda: program.desk.planner.timing)
        if ics:
            _write(program, _listed(outlook, program, span if month or week else None), output)
        elif json:
            program.print_json(_document(outlook, program, span))
        else:
            days = outlook.days(span.first, span.count, program.zone, READ)
            program.show(_page(program, span, days))


def _is_ics(format_: str | None, output: str, *, json: bool) -> bool:
    if format_ not in (None, "ics"):
        raise InvalidInput(f"there is no format {format_!r} of calendars", "There is: ics")
    if format_ and json:
        raise InvalidInput("--json is no format ics", "Leave one of them out")
    if output != "-" and not format_:
        raise InvalidInput("--output is for --format ics", "Give both")
    return format_ is not None


def _span(program: Program, words: str, *, week: bool) -> Span:
    from postsched.domain.spans import month_span, week_span

    today = program.now().astimezone(program.zone).date()
    return week_span(words, today) if week else month_span(words, today)


def _listed(outlook: Outlook, program: Program, span: Span | None) -> list[Firing]:
    """What is to come; all of a span, if there is one."""
    from postsched.service import almanac

    found = almanac.listed(outlook, program.zone, span)
    _warn_of_more(program, len(found))
    return found


def _warn_of_more(program: Program, listed: int) -> None:
    from postsched.service.firings import MOST

    if listed == MOST:
        program.warn(f"there are more: these are the first {MOST:,}")


def _write(program: Program, found: Sequence[Firing], output: str) -> None:
    from postsched.cli.destination import to_file, to_stdout
    from postsched.transfer.ics import calendar as lines

    now = program.now()
    if output == "-":
        to_stdout(lambda out: out.writelines(lines(found, now)))
        return
    to_file(Path(output).expanduser().resolve(), lambda out: out.writelines(lines(found, now)))
    events = "1 event" if len(found) == 1 else f"{len(found):,} events"
    program.say(f"{events} written to {output}")


def _document(outlook: Outlook, program: Program, span: Span) -> dict[str, Any]:
    """All of it by day; the shape is in the README."""
    from postsched.service.almanac import calendar_document

    found = _listed(outlook, program, span)
    return calendar_document(found, program.zone, span)


def _page(program: Program, span: Span, days: Sequence[Day]) -> str:
    """The month or week for the eye."""
    from postsched.cli.looks.agenda import Reader
    from postsched.cli.looks.almanac import Almanac

    lines = (sys.stdout.encoding or "").lower().startswith("utf")
    reader = Reader(program.now(), program.zone, program.screen)
    return "\n".join(Almanac(span.title, days, reader, lines).lines())
