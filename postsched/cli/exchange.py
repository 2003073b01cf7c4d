"""import and export: posts as data."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from postsched.cli.choice import From, OnlyTag, Search, Status, Until, filter_of
from postsched.cli.destination import to_file, to_stdout
from postsched.cli.options import Account, Json, OptionalIds
from postsched.cli.program import Program
from postsched.domain.errors import InvalidInput

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from postsched.cli.progress import Progress
    from postsched.domain.draft import Draft
    from postsched.service.imports import Bad, Imported
    from postsched.store.reading import Filed, Filter
    from postsched.transfer.exchange import Format
    from postsched.transfer.rows import Row, Unjudged

app = typer.Typer()
MOST_NOTES = 20
"""Notes of one import that are said in full."""
FORMATS = "json|jsonl|csv|md"
Files = Annotated[list[str], typer.Argument(metavar="FILE...", help="- for stdin.")]
FormatName = Annotated[
    str | None, typer.Option("--format", metavar=FORMATS, help="Else told by the file's name.")
]
Output = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE|FOLDER/",
        help="A file, or a folder for one Markdown file a post; else stdout.",
    ),
]


@app.command(
    name="import",
    epilog="""Examples:

postsched import posts.csv

postsched import monday.md tuesday.md

generate | postsched import - --format jsonl --json

One bad row, and nothing is written. The same file twice adds its posts once.""",
)
def import_(
    ctx: typer.Context, files: Files, format_: FormatName = None, json: Json = False
) -> None:
    """Add the posts of files: JSON, JSON Lines, CSV, Markdown."""
    from postsched.cli.progress import progress_on
    from postsched.service import imports

    program: Program = ctx.obj
    formats = _formats(files, format_)
    faults = _Faults(program, json=json)
    with progress_on(program, files, wanted=not json) as progress:
        watch = imports.Watch(faults.note, progress.written, faults.differing.append)
        sources = [(name, _rows(name, fmt, progress)) for name, fmt in formats]
        done = imports.run(program.desk, sources, watch)
    if not done.bad:
        _tell(program, faults.differing)
    if json:
        program.print_json(faults.document(done))
    elif not done.bad:
        were = "was" if done.known == 1 else "were"
        known = f", {done.known:,} {were} there already" if done.known else ""
        program.print(f"{_posts(done.added)} added{known}")
    if done.stale:
        rows = "1 row that was" if done.stale == 1 else f"{done.stale:,} rows that were"
        program.say(
            f"note: {rows} there already names a time such as 'tomorrow 9am', which stays what it "
            "meant the first time. To post it again, give it a key, or a date"
        )
    if done.bad:
        rows = "1 row is bad" if done.bad == 1 else f"{done.bad:,} rows are bad"
        program.complain(f"nothing was added: {rows}")
        raise typer.Exit(1)


def _formats(files: list[str], given: str | None) -> list[tuple[str, Format]]:
    """The files with their formats; what can't be read is found before anything is."""
    from postsched.transfer.exchange import format_of

    if files.count("-") > 1:
        raise InvalidInput("stdin can be read only once", "Name - once")
    for name in files:
        path = Path(name).expanduser()
        if name != "-" and not path.exists():
            raise InvalidInput(f"there is no file {name}", "Check the path")
        if path.is_dir() and name != "-":
            raise InvalidInput(f"{name} is a folder", f"Name its files: {name.rstrip('/')}/*")
    return [(name, format_of(name, given)) for name in files]


def _rows(name: str, fmt: Format, progress: Progress) -> Iterator[Row | Unjudged]:
    """The rows of a file. Relative paths in it start from its folder, on stdin from this one."""
    from postsched.transfer.exchange import found

    path = Path(name).expanduser()
    folder = Path.cwd() if name == "-" else path.absolute().parent
    try:
        with nullcontext(sys.stdin.buffer) if name == "-" else path.open("rb") as stream:
            yield from found(progress.reading(stream), fmt, folder)
    except OSError as error:
        raise InvalidInput(f"{name} can't be read: {error.strerror}", "Check the file") from None


def _posts(count: int) -> str:
    return "1 post" if count == 1 else f"{count:,} posts"


def _tell(program: Program, sentences: list[str]) -> None:
    """Say what the accounts do without, or get otherwise."""
    for sentence in sentences[:MOST_NOTES]:
        program.say(f"note: {sentence}")
    if (more := len(sentences) - MOST_NOTES) > 0:
        program.say(f"note: and {more:,} more like these; preview shows them for each post")


class _Faults:
    """What is wrong with the rows of an import: said at once, or kept for the JSON document; and
    what accounts get differing from the post, which is said at the end."""

    def __init__(self, program: Program, *, json: bool) -> None:
        self._program, self._json = program, json
        self._kept: list[Bad] = []
        self.differing: list[str] = []

    def note(self, bad: Bad) -> None:
        """One thing that is wrong."""
        if self._json:
            self._kept.append(bad)
            return
        field = f"{bad.field}: " if bad.field else ""
        self._program.complain(f"{bad.file}:{bad.line}: {field}{bad.message}")

    def document(self, done: Imported) -> dict[str, Any]:
        """The JSON of an import."""
        from dataclasses import asdict

        errors = [asdict(bad) for bad in self._kept]
        return {
            "added": done.added, "known": done.known, "ids": list(done.ids), "errors": errors,
        }  # fmt: skip


@app.command(
    epilog="""Examples:

postsched export --output posts.csv

postsched export 12 13 --format md --output drafts/

postsched export --status scheduled --account me --format jsonl > queue.jsonl

What would not go out by itself any more (it is out, cancelled, paused or past) is written as a
draft, so that importing it elsewhere sends nothing twice."""
)
def export(
    ctx: typer.Context,
    ids: OptionalIds = None,
    format_: FormatName = None,
    output: Output = "-",
    status: Status = None,
    account: Account = None,
    from_: From = None,
    until: Until = None,
    tag: OnlyTag = None,
    search: Search = None,
    json: Json = False,
) -> None:
    """Write posts as data: all of them, or those named or chosen."""
    from postsched.service.choice import STATUSES

    program: Program = ctx.obj
    if ids and any((status, account, from_, until, tag, search)):
        raise InvalidInput("there are IDs and a choice of posts", "Give one of them")
    target = _target(output, "json" if json and not format_ else format_)
    if json and target.fmt != "json":
        raise InvalidInput(f"--json is no format {target.fmt}", "Leave --json out")
    with program.database.read() as connection:
        options = (status, account, from_, until, tag, search)
        wanted = filter_of(program, connection, STATUSES, *options)
        drafts = _Drafts(program, _chosen(connection, ids or [], wanted))
        target.write(drafts)
    if output != "-":
        program.say(f"{_posts(drafts.count)} written to {output}")
    if drafts.over == 1:
        program.say("note: 1 post would not go out by itself any more, and is written as a draft")
    elif drafts.over:
        program.say(
            f"note: {_posts(drafts.over)} would not go out by themselves any more, and are "
            "written as drafts"
        )
    if drafts.apart:
        program.say(
            "note: single occurrences that were moved or have a text of their own are written as "
            f"their series has them: of post {', '.join(map(str, drafts.apart))}"
        )


class _Drafts:
    """Posts as they are exported, counted on the way: all, and those that become drafts by it.
    `apart` are the ids of series of which single occurrences were arranged otherwise."""

    def __init__(self, program: Program, filed: Iterable[Filed]) -> None:
        self._program, self._filed = program, filed
        self.count = self.over = 0
        self.apart: list[int] = []

    def __iter__(self) -> Iterator[Draft]:
        from postsched.service.drafts import apart, exported

        folder, now = self._program.settings.media_folder, self._program.now()
        for filed in self._filed:
            draft = exported(filed, folder, now)
            self.count += 1
            self.over += draft.draft and not filed.post.draft
            if not draft.draft and apart(filed, now):
                self.apart.append(filed.post.id)
            yield draft


def _chosen(connection: Connection, ids: list[int], wanted: Filter) -> Iterator[Filed]:
    from postsched.service.desk import posts_named
    from postsched.store import reading

    if not ids:
        yield from reading.each_post(connection, wanted)
    for start in range(0, len(ids), reading.CHUNK):
        chunk = list(dict.fromkeys(ids))[start : start + reading.CHUNK]
        posts_named(connection, chunk)
        yield from reading.file_posts(connection, chunk)


@dataclass(frozen=True, slots=True)
class _Target:
    """Where an export goes: stdout (no path), a file, or a folder; and in which format."""

    fmt: Format
    path: Path | None = None
    folder: bool = False

    def write(self, drafts: Iterable[Draft]) -> None:
        """Write all of them. A file is there completely or not at all."""
        from postsched.transfer.exchange import write, write_folder

        if self.path is None:
            to_stdout(lambda out: write(drafts, self.fmt, out))
        elif self.folder:
            write_folder(drafts, self.path)
        else:
            to_file(self.path.resolve(), lambda out: write(drafts, self.fmt, out))


def _target(output: str, given: str | None) -> _Target:
    from postsched.transfer.exchange import Format, format_of

    if output == "-":
        return _Target(format_of("-", given or "json"))
    path = Path(output).expanduser()
    folder = path.is_dir() or output.endswith(("/", os.sep))
    fmt = format_of(output, given or "md" if folder else given)
    if folder and fmt is not Format.MARKDOWN:
        raise InvalidInput(f"{output} is a folder, and only Markdown goes there", "Name a file")
    return _Target(fmt, path, folder)
