"""preview: what each account would get, before anything is written."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from postsched.cli.compose import Text
from postsched.cli.drafting import (
    Alt,
    At,
    Comment,
    File,
    For,
    Grace,
    In,
    Key,
    Lang,
    Link,
    MediaFiles,
    Missed,
    Priority,
    Tag,
    Then,
    Title,
    To,
    Tz,
    Visibility,
    Warn,
    given,
    wanted,
)  # fmt: skip
from postsched.cli.options import Json
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
def preview(
    ctx: typer.Context,
    text: Text = None,
    file: File = None,
    to: To = None,
    at: At = None,
    in_: In = None,
    tz: Tz = None,
    media: MediaFiles = None,
    alt: Alt = None,
    then: Then = None,
    comment: Comment = None,
    link: Link = None,
    title: Title = None,
    for_: For = None,
    visibility: Visibility = None,
    warning: Warn = None,
    lang: Lang = None,
    tag: Tag = None,
    missed: Missed = None,
    grace: Grace = None,
    priority: Priority = None,
    key: Key = None,
    json: Json = False,
) -> int:
    """Show what each account would get, and write nothing."""
    program: Program = ctx.obj
    options = given(
        text=text, to=to, at=at, in_=in_, tz=tz, media=media, alt=alt, then=then, for_=for_,
        tag=tag, priority=priority, comment=comment, link=link, title=title,
        visibility=visibility, warning=warning, lang=lang, missed=missed, grace=grace, key=key,
    )  # fmt: skip
    return _show(program, wanted(text, file, options), json=json)


def _show(program: Program, draft: Draft, *, json: bool) -> int:
    from postsched.cli.progress import files_line
    from postsched.service import previewing

    with files_line(program, draft, wanted=not json):
        found = previewing.preview(program.desk, draft)
    if json:
        from postsched.cli.looks.document import document

        program.print_json(document(found))
    else:
        from postsched.cli.looks.page import page

        lines = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        program.show(page(found, program.screen, program.now(), program.zone, lines=lines))
    if found.error is not None:
        program.complain(str(found.error))
    return 0 if found.fits else REFUSED
