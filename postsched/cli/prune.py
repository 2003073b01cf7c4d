"""prune: what is long over leaves the database now, and the file gets smaller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from postsched.cli.options import Json
from postsched.cli.program import Program
from postsched.domain.errors import InvalidInput, NotAllowed, StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from postsched.config import Settings
    from postsched.domain.post import Post
    from postsched.domain.schedule import Schedule
    from postsched.retention.policy import Policy
    from postsched.retention.sweep import Sweep, Tally
    from postsched.store.database import Database
    from postsched.store.room import Room

app = typer.Typer()
SETTLED = timedelta(days=1)
"""A media file that was kept since may belong to a post that is just being written."""
WORTH = 0.1
"""How much of the file must be free for it to be written anew."""


@app.command(
    epilog="Examples:\n\npostsched prune --dry-run\n\npostsched prune --older-than 90d --yes"
)
def prune(
    ctx: typer.Context,
    older_than: Annotated[
        str | None, typer.Option("--older-than", metavar="AGE", help="Instead of keep (400d).")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would leave, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    json: Json = False,
) -> None:
    """Let what is long over leave the database for the archive, and make the file smaller.

    `run` and `publish-due` do the same by themselves, bit by bit, but for the last: a file keeps
    the room that gets free in it, for what is written next. It is made smaller only while no
    postsched runs on it. What failed or was missed stays twice as long; what is unconfirmed stays.
    """
    program: Program = ctx.obj
    program.expect_database()
    policy = _policy(program, older_than)
    sweep = sweep_of(program.database, program.settings, program.now, policy)
    if dry_run or not yes:
        tally = _looked_at(sweep)
        if dry_run:
            _answer(program, policy, tally, None, json=json)
            return
        if tally.posts or tally.deliveries:
            _ask(program, policy, tally)
    tally = _let_leave(program.database, sweep)
    done = _tidied(program)
    _answer(program, policy, tally, done, json=json)


def sweep_of(
    database: Database,
    settings: Settings,
    now: Callable[[], datetime],
    policy: Policy | None = None,
) -> Sweep:
    """What goes through what is long over. `now` gives the instant (UTC)."""
    from postsched.retention.sweep import Sweep

    def gist(post: Post, schedule: Schedule) -> bytes:
        from postsched.service.gist import gist_of

        return gist_of(post, schedule, settings.media_folder)

    return Sweep(database, settings, now, policy, gist)


def _policy(program: Program, older_than: str | None) -> Policy:
    """What is to leave. Raises InvalidInput for an age that can't be, NotAllowed where the settings
    let nothing leave."""
    from postsched.domain.duration import format_duration, parse_duration
    from postsched.retention.policy import LEAST, policy_of

    policy = policy_of(program.settings)
    if older_than is not None:
        keep = parse_duration(older_than)
        if keep < LEAST:
            raise InvalidInput(
                f"what is younger than {format_duration(LEAST)} is still needed",
                f"Say --older-than {format_duration(LEAST)}, or more",
            )
        policy = replace(policy, keep=keep)
    if policy.why_not is not None:
        hint = "Say how old it must be: --older-than 400d" if policy.keep is None else None
        raise NotAllowed(policy.why_not, hint)
    return policy


def _looked_at(sweep: Sweep) -> Tally:
    """What would leave."""
    from postsched.retention.sweep import Tally

    tally = Tally()
    if sweep.begin(anew=True):
        while step := sweep.take(dry=True):
            tally.add(step.leaving)
    return tally


def _let_leave(database: Database, sweep: Sweep) -> Tally:
    """Step by step, so that nobody has to wait for all of it."""
    from postsched.retention.sweep import Tally

    tally = Tally()
    if not sweep.begin(anew=True):
        return tally
    while step := sweep.take():
        if step.leaving:
            with database.write() as connection:
                tally.take_in(sweep.leave(connection, step))
    with database.write() as connection:
        sweep.end(connection)
    return tally


class _Done:
    """What was made smaller: how many media files were removed, the room that the database took
    before and takes now (None with a server), and how many processes were in the way."""

    def __init__(self, media: int, before: Room | None, after: Room | None, running: int) -> None:
        self.media, self.before, self.after, self.running = media, before, after, running


def _tidied(program: Program) -> _Done:
    """Remove media files that no post names, and give back what room is free."""
    from postsched import wakeup
    from postsched.media.kept import MediaStore
    from postsched.store import posts as post_rows

    with program.database.read() as connection:
        named = post_rows.kept_files(connection)
    kept = MediaStore(program.settings.media_folder, program.settings.media_fault)
    media = kept.remove_unused(named, program.now() - SETTLED) if kept.folder.is_dir() else 0
    place = program.settings.database_path
    if place is None:
        return _Done(media, None, None, 0)
    running = len(wakeup.living(wakeup.folder_for(program.settings)))
    return _Done(media, *_compacted(program, place, running), running)


def _compacted(program: Program, place: Path, running: int) -> tuple[Room, Room]:
    """The room that a file took, and takes."""
    from postsched.store.room import compact, room

    before = room(place)
    if running or before.free < WORTH * before.size:
        return before, before
    try:
        compact(place)
    except StoreUnavailable as error:  # all that was to leave has left
        program.warn(f"the file is as large as before: {error.message}")
    return before, room(place)


def _ask(program: Program, policy: Policy, tally: Tally) -> None:
    from postsched.cli.posts import confirm

    where = f"Move {_counted(tally)} to {policy.folder}"
    confirm(program, f"{where if policy.archives else f'Remove {_counted(tally)} for good'}?")


def _counted(tally: Tally) -> str:
    from postsched.service.checks.finding import counted

    posts, parts = counted(tally.posts, "post"), tally.deliveries
    said = f"{posts} ({counted(parts, 'delivery', 'deliveries')}"
    wanting = f", {tally.wanting:,} of which failed or were missed" if tally.wanting else ""
    return f"{said}{wanting})"


def _answer(
    program: Program, policy: Policy, tally: Tally, done: _Done | None, *, json: bool
) -> None:
    if json:
        program.print_json(_document(policy, tally, done))
        return
    from postsched.domain.duration import format_duration

    assert policy.keep is not None
    old = f"over for {format_duration(policy.keep)}"
    if not (tally.posts or tally.deliveries):
        program.print(f"Nothing is {old} that could leave")
    else:
        where = f"the archive {policy.folder}" if policy.archives else "good"
        would = "would leave" if done is None else "left"
        program.print(f"{_counted(tally)}, {old}, {would} the database for {where}")
    if done is not None:
        _say_room(program, done)


def _say_room(program: Program, done: _Done) -> None:
    from postsched.service.checks.finding import counted, megabytes

    if done.media:
        program.print(f"{counted(done.media, 'media file')} that no post names removed")
    if done.before is None or done.after is None:
        return
    if done.after.size < done.before.size:
        sizes = f"{megabytes(done.before.size)} to {megabytes(done.after.size)}"
        program.print(f"The database went from {sizes}")
    elif done.running and done.before.free >= WORTH * done.before.size:
        free = f"{megabytes(done.before.free)} of {megabytes(done.before.size)}"
        program.say(
            f"{free} in the database are free, and are used for what comes next. To make it "
            "smaller, stop postsched and prune again"
        )


def _document(policy: Policy, tally: Tally, done: _Done | None) -> dict[str, Any]:
    room = done.after if done else None
    return {
        "dry_run": done is None,
        "posts": tally.posts,
        "deliveries": tally.deliveries,
        "failed": tally.wanting,
        "archive": str(policy.folder) if policy.archives else None,
        "media": done.media if done else 0,
        "bytes": room.size if room else None,
        "free_bytes": room.free if room else None,
    }
