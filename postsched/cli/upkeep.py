"""doctor, backup and restore."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from postsched.cli.options import Json
from postsched.cli.program import Program
from postsched.domain.errors import InvalidInput, NotAllowed, StoreUnavailable

if TYPE_CHECKING:
    from postsched.service.checks import Finding, Subject
    from postsched.service.copies import BackedUp, Offer, Restored

app = typer.Typer()
STYLES = {"ok": "green", "warning": "yellow", "problem": "bold red"}


@app.command(epilog="Examples:\n\npostsched doctor\n\npostsched doctor --json")
def doctor(ctx: typer.Context, json: Json = False) -> None:
    """Check everything, and say what to do about it."""
    from postsched.service.checks import State, findings, problem

    program: Program = ctx.obj
    found = _settings_faults(program)
    unusable: StoreUnavailable | None = None
    try:
        subject = _subject(program)
    except StoreUnavailable as error:
        unusable = error
        found.append(problem("database", error.message, error.hint))
        subject = _subject(program, openable=False)
    faulty = {one.check for one in found}  # of these nothing good can be said besides
    found += [one for one in findings(subject) if one.state is not State.OK
              or one.check not in faulty]  # fmt: skip
    if json:
        program.print_json([_finding_document(one) for one in found])
    else:
        program.show(_page(program, found))
    bad = any(one.state is State.PROBLEM for one in found)
    if unusable:
        program.complain(str(unusable))
    raise typer.Exit(4 if unusable else 1 if bad else 0)


def _settings_faults(program: Program) -> list[Finding]:
    """What keeps the settings from being read; then the defaults are taken for the rest."""
    from postsched.service.checks import problem

    try:
        program.assume(program.read_settings())
    except InvalidInput as error:
        program.assume(None)
        return [problem("settings", error.message, error.hint)]
    return []


def _subject(program: Program, *, openable: bool = True) -> Subject:
    """What is looked at. A database that is not there yet is not made."""
    from postsched import wakeup
    from postsched.service.checks import Subject
    from postsched.service.state import workers_now

    place = program.settings.database_path
    subject = Subject(
        program.settings, place, None, program.secrets, program.now, lambda: program.zone
    )
    if not openable or (place is not None and not os.path.exists(place)):
        return subject
    bells = wakeup.folder_for(program.settings)
    with program.database.read() as connection:
        found = workers_now(connection, bells, program.now())
    dead = {worker.mark for worker in found.dead} | set(wakeup.dead(bells))
    return replace(
        subject, database=program.database, living=tuple(found.living),
        silent=tuple(found.silent), dead=len(dead),
    )  # fmt: skip


def _finding_document(found: Finding) -> dict[str, Any]:
    return {
        "check": found.check,
        "state": found.state.value,
        "message": found.message,
        "hint": found.hint,
    }


def _page(program: Program, found: Sequence[Finding]) -> str:
    """A line for each finding, and what to do about it below."""
    paint = program.screen.paint
    width = max(len(one.check) for one in found)
    lines = []
    for one in found:
        state = paint(f"{one.state.value:8}", STYLES[one.state.value])
        lines.append(f"{state} {paint(f'{one.check:{width}}')}  {paint(one.message)}")
        if one.hint:
            lines.append(f"{'':8} {'':{width}}  {paint(one.hint, 'bold')}")
    return "\n".join(lines)


@app.command(epilog="Examples:\n\npostsched backup posts.zip\n\npostsched backup --force posts.zip")
def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
    json: Json = False,
) -> None:
    """Copy everything into one file, while everything runs."""
    from postsched.service import copies
    from postsched.service.checks.finding import counted

    program: Program = ctx.obj
    done = copies.backup(program.desk, file, replace=force)
    if done.missing:
        program.warn(
            f"{counted(len(done.missing), 'media file')} that posts name, gone or damaged, could "
            "not be copied: see postsched doctor"
        )
    if json:
        program.print_json(_backup_document(done))
    else:
        program.print(
            f"{file}: {counted(done.posts, 'post')}, {counted(done.accounts, 'account')}, "
            f"{counted(done.media, 'media file')}, {done.bytes:,} bytes. Secrets are not in it"
        )


def _backup_document(done: BackedUp) -> dict[str, Any]:
    from postsched.transfer.documents import rfc3339

    return {
        "file": str(done.file),
        "created_at": rfc3339(done.created_at),
        "bytes": done.bytes,
        "posts": done.posts,
        "accounts": done.accounts,
        "media": done.media,
        "missing": list(done.missing),
    }


@app.command(epilog="Examples:\n\npostsched restore posts.zip\n\npostsched restore --yes posts.zip")
def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What backup has written.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    json: Json = False,
) -> None:
    """Put a backup in the place of the database; postsched must not be running."""
    from postsched.service import copies

    program: Program = ctx.obj
    place = program.settings.database_path
    if place is None:
        raise NotAllowed("a backup can only be restored to an SQLite file", "Name one with --db")
    with copies.offered(file, place) as offer:
        if not yes and place.exists() and place.stat().st_size:
            _ask(program, offer, place)
        done = copies.restore(offer, program.settings, place, program.now())
        _tell(program, file, offer, done, json=json)


def _ask(program: Program, offer: Offer, place: Path) -> None:
    from postsched.cli.posts import confirm
    from postsched.service.checks.finding import counted

    now = counted(offer.instead_of.posts, "post") if offer.instead_of else "what can't be read"
    if offer.instead_of is None or offer.instead_of.posts or offer.instead_of.accounts:
        made = offer.note.created_at.astimezone(program.zone)
        confirm(
            program,
            f"Replace {place} ({now}) by the backup of {made:%Y-%m-%d %H:%M} "
            f"({counted(offer.holds.posts, 'post')})?",
        )


def _tell(program: Program, file: Path, offer: Offer, done: Restored, *, json: bool) -> None:
    from postsched.service.checks.finding import counted
    from postsched.transfer.documents import rfc3339

    if json:
        program.print_json(
            {
                "file": str(file),
                "created_at": rfc3339(offer.note.created_at),
                "posts": offer.holds.posts,
                "accounts": offer.holds.accounts,
                "media": len(offer.archive.media),
                "kept": str(done.kept) if done.kept else None,
                "overdue": done.overdue,
                "late": done.late,
                "confirming": done.rewound.confirming if done.rewound else 0,
                "unconfirmed": done.rewound.unconfirmed if done.rewound else 0,
            }
        )
    else:
        kept = f". What was there is kept as {done.kept}" if done.kept else ""
        program.print(f"{counted(offer.holds.posts, 'post')} restored from {file}{kept}")
        program.say("Secrets are not part of a backup: see postsched doctor")
    if done.rewound:
        program.warn(str(done.rewound))
    if done.overdue:
        unknown = (
            ", also what another machine has published meanwhile, of which nothing is known here: "
            "look at postsched list, and cancel that first"
        )
        program.warn(
            f"{done.overdue} of its deliveries became due since the backup was made, {done.late} "
            "of these are past their grace. The others go out as soon as postsched runs"
            + ("" if done.known else unknown)
        )
