"""check: over the whole queue offline, for people before they leave and for CI."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from postsched.cli.options import Json, OptionalIds
from postsched.cli.program import Program
from postsched.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postsched.service.checking import Checked, Finding

app = typer.Typer()
Drafts = Annotated[bool, typer.Option("--drafts", help="All drafts, too.")]


@app.command(
    epilog="""Examples:

postsched check

postsched check 12 13

postsched check --drafts --json"""
)
def check(
    ctx: typer.Context,
    post_ids: OptionalIds = None,
    drafts: Drafts = False,
    json: Json = False,
) -> None:
    """Look for what would keep posts from going out; asks no network.

    Whether text, media and wishes fit the accounts, kept files are whole, logins will last, there
    is room in the networks' quotas, and nothing says again what a network takes only once. Nothing
    is written. Exit code 1 if anything is found.
    """
    from postsched.cli.progress import progress_on
    from postsched.service.checking import check as go_over

    program: Program = ctx.obj
    _require_database(program)
    with progress_on(program, (), wanted=True) as progress:
        checked = go_over(
            program.desk, program.secrets, post_ids or (), drafts=drafts, progress=progress.checked
        )
    if json:
        from postsched.service.checking.finding import finding_document

        program.print_json([finding_document(finding) for finding in checked.findings])
        program.say(_summary(checked))
    else:
        program.show("\n".join([*_lines(program, checked), _summary(checked)]))
    raise typer.Exit(1 if checked.findings else 0)


def _require_database(program: Program) -> None:
    """Nothing is written, so none is made; and a name that is mistyped must not pass for a queue
    without faults."""
    path = program.settings.database_path
    if path is not None and not path.exists():
        raise StoreUnavailable(
            f"there is no database {path}", "Name another with --db, or write a post: postsched add"
        )


def _lines(program: Program, checked: Checked) -> Iterator[str]:
    """The findings, each in one line below its post."""
    paint = program.screen.paint
    width = max((len(one.fault.check) for one in checked.findings), default=0)
    for post_id, found in groupby(checked.findings, key=lambda finding: finding.post_id):
        yield paint(f"Post {post_id}", "bold")
        for one in found:
            check = paint(f"{one.fault.check:{width}}", "bold red")
            hint = f". {one.fault.hint}" if one.fault.hint else ""
            yield f"  {paint(_when(program, one))}  {check}  {paint(one.fault.message + hint)}"


def _when(program: Program, finding: Finding) -> str:
    if finding.due_at is None:
        return f"{'draft':16}"
    return f"{finding.due_at.astimezone(program.zone):%Y-%m-%d %H:%M}"


def _summary(checked: Checked) -> str:
    from postsched.service.checks.finding import counted

    posts = counted(checked.posts, "post")
    deliveries = counted(checked.deliveries, "delivery", "deliveries")
    findings = counted(len(checked.findings), "finding") if checked.findings else "no findings"
    return f"{posts} with {deliveries} looked at: {findings}"
