"""copy: from one database to another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from postsched.cli.options import Json
from postsched.cli.program import Program
from postsched.domain.errors import InvalidInput

if TYPE_CHECKING:
    from postsched.config import Settings
    from postsched.service.copying import Copied

app = typer.Typer()


@app.command(
    epilog="Examples:\n\npostsched copy posts.db postgresql://me@db.example.org/posts\n\n"
    "postsched copy postgresql://me@db.example.org/posts posts.db\n\n"
    "postsched copy --keep posts.db trial.db\n\npostsched copy --release posts.db"
)
def copy(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SRC", help="The database: URL or path.")],
    target: Annotated[
        str | None, typer.Argument(metavar="DST", help="A new or empty one.", show_default=False)
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Go on with SRC; in DST, everything is paused.")
    ] = False,
    release: Annotated[
        bool, typer.Option("--release", help="Go on with SRC, which was moved: DST is not used.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    json: Json = False,
) -> None:
    """Move everything to another database, SQLite or PostgreSQL: whole or not at all.

    Posts go out from DST then, and nothing can be written to SRC any more, so that none goes out
    twice. Stop postsched first. Media files are copied to where DST looks for them; secrets stay
    where they are, the accounts keep their names. What was broken off is completed by the same
    call again.
    """
    program: Program = ctx.obj
    if release:
        _release(program, source, target, keep=keep, yes=yes, json=json)
        return
    if target is None:
        raise InvalidInput("it is not said where to copy it", "See: postsched copy --help")
    from postsched.cli.progress import progress_on
    from postsched.service.copying import Copying

    with progress_on(program, (), wanted=not json) as progress:
        old, new = _at(program, source), _at(program, target)
        if old.database == new.database:
            raise InvalidInput("the same database is named twice", "Name another as DST")
        try:
            done = Copying(old, new, program.now, progress.copied, keep=keep).run()
        except KeyboardInterrupt as error:
            raise typer.Abort from error  # it is said
    _tell(program, done, old, new, keep=keep, json=json)


def _at(program: Program, named: str) -> Settings:
    from postsched.config import locate_database

    return replace(program.settings, database=locate_database(named))


def _tell(
    program: Program, done: Copied, old: Settings, new: Settings, *, keep: bool, json: bool
) -> None:
    from postsched.service.checks.finding import counted

    if done.missing:
        program.warn(
            f"{counted(len(done.missing), 'media file')} that posts name, gone or damaged, could "
            "not be copied: see postsched doctor"
        )
    for one in done.silent:
        program.warn(f"of {one} nothing was heard; should it come back, it is told to stop")
    archive = old.archive_folder
    if archive and archive.is_dir() and archive != new.archive_folder:
        place = new.archive_folder or "where archive_dir says, once it is set"
        program.warn(f"the archive stays in {archive}; it is looked for in {place} from now on")
    if json:
        program.print_json(
            {
                "from": done.source,
                "to": done.target,
                "moved": not keep,
                "rows": done.rows,
                "media": done.media,
                "missing": list(done.missing),
            }
        )
        return
    if done.resumed:
        program.print(f"{done.source} was moved to {done.target} already: all is there")
        return
    word = "copied" if keep else "moved"
    program.print(
        f"{counted(done.rows['posts'], 'post')}, {counted(done.rows['accounts'], 'account')}, "
        f"{counted(done.media, 'media file')} {word} to {done.target}"
    )
    if keep:
        program.say(
            "Everything is paused there, for it goes out from the original. What both have would "
            "go out twice after: postsched resume --all"
        )
    else:
        program.say(f"Go on there, with --db or POSTSCHED_DB. {done.source} is no more used")


def _release(
    program: Program, source: str, target: str | None, *, keep: bool, yes: bool, json: bool
) -> None:
    if target is not None or keep:
        raise InvalidInput("--release takes one database, and nothing else", "Name only SRC")
    from postsched.cli.posts import confirm
    from postsched.service import copying

    settings = _at(program, source)
    if not yes:
        confirm(program, f"Is the database that {source} was moved to surely not used any more?")
    before = copying.release(settings)
    if json:
        program.print_json({"released": True, "was_moved_to": before.to})
    else:
        program.print("It is in use again, with everything paused")
        program.say(
            f"Look first what went out from {before.to} since, and cancel that; then: "
            "postsched resume --all"
        )
