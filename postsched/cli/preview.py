"""preview: what each account would get, before anything is written."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import typer

from postsched.cli.compose import Text
from postsched.cli.drafting import given, wanted
from postsched.cli.options import Json
from postsched.cli.post_options import writes_post
from postsched.cli.program import Program

if TYPE_CHECKING:
    from postsched.domain.draft import Draft

app = typer.Typer()
REFUSED = 2
"""The exit code where `add` would refuse the post."""


@app.command(
    epilog="""Examples:

postsched preview "We are live" --to team --media cat.jpg --alt "A cat"

postsched preview --file post.md --json

A line with only --- parts a thread. Nothing is written, and no time is needed. It ends with 2 if
add would refuse the post."""
)
@writes_post
def preview(ctx: typer.Context, text: Text = None, *, json: Json = False, **options: Any) -> int:
    """Show what each account would get, and write nothing."""
    program: Program = ctx.obj
    words = given(text, options)
    return _show(program, wanted(text, options["file"], words), json=json)


def _show(program: Program, draft: Draft, *, json: bool) -> int:
    from postsched.cli.progress import files_line
    from postsched.service import previewing

    with files_line(program, draft, wanted=not json):
        found = previewing.preview(program.desk, draft)
    if json:
        from postsched.service.preview_document import document

        program.print_json(document(found))
    else:
        from postsched.cli.looks.page import page

        lines = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        program.show(page(found, program.screen, program.now(), program.zone, lines=lines))
    if found.error is not None:
        program.complain(str(found.error))
    return 0 if found.fits else REFUSED
