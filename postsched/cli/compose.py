"""add: a post from the words of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from postsched.cli.drafting import given, sentence, wanted
from postsched.cli.options import Json
from postsched.cli.post_options import writes_post
from postsched.cli.program import Program

if TYPE_CHECKING:
    from postsched.service.compose import Composed
    from postsched.service.posts import Added

app = typer.Typer()

Text = Annotated[
    str | None, typer.Argument(metavar="[TEXT]", help="The text; - reads it from stdin.")
]
IsDraft = Annotated[bool, typer.Option("--draft", help="Keep it for later.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check it, and write nothing.")]


@app.command(
    epilog="""Examples:

postsched add "Hello" --to me --in 10s

postsched add "We are live" --to team --at "fri 14:30" --media cat.jpg --alt "A cat"

postsched add - --to me --at tomorrow\\ 9am < post.txt

A line with only --- parts a thread."""
)
@writes_post
def add(
    ctx: typer.Context,
    text: Text = None,
    *,
    draft: IsDraft = False,
    dry_run: DryRun = False,
    json: Json = False,
    **options: Any,
) -> None:
    """Write a post."""
    from postsched.cli.progress import files_line
    from postsched.service import posts

    program: Program = ctx.obj
    words = given(text, options)
    post = wanted(text, options["file"], words | {"draft": True} if draft else words)
    with files_line(program, post, wanted=not json):
        added = posts.add(program.desk, post, dry_run=dry_run)
    _answer(program, added, json=json)


def _answer(program: Program, added: Added, *, json: bool) -> None:
    if added.composed:
        for note in added.composed.notes:
            program.say(f"note: {note}")
        _warn_of_endings(program, added.composed)
    if added.id is not None and json:
        from postsched.cli.posts import print_posts

        print_posts(program, [added.id], json=True, single=True)
    elif added.id is not None and added.known:
        program.print(f"Post {added.id} is there already, with the same key")
    elif added.composed and json:
        from postsched.service import unwritten

        program.print_json(unwritten.document(program.desk, added.composed))
    elif added.composed:
        words = sentence(program, added.composed)
        dry = added.id is None
        program.print(f"Would add: {words}" if dry else f"Post {added.id}: {words}")


def _warn_of_endings(program: Program, composed: Composed) -> None:
    """Say which logins will have ended by then."""
    from postsched.service import endings

    for ending in endings.before(composed.accounts, composed.occurrence):
        program.warn(endings.sentence(ending, program.now(), program.zone))
