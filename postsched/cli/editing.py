"""edit: a post changed by options, by a file, or in the person's editor."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Annotated, Any

import typer

from postsched.cli.drafting import given, read_file, sentence, with_changes
from postsched.cli.options import Json, OneId
from postsched.cli.post_options import CLEARED, changes_post, clearing
from postsched.cli.program import Program
from postsched.domain.draft import Draft
from postsched.domain.errors import InvalidInput

app = typer.Typer()

NewText = Annotated[
    str | None, typer.Option("--text", metavar="TEXT", help="The text; - reads stdin.")
]
TextArgument = Annotated[str | None, typer.Argument(metavar="[TEXT]", help="The same.")]
IsDraft = Annotated[
    bool | None, typer.Option("--draft/--no-draft", help="Make it a draft, or none.")
]
KEPT = ("to", "at", "tz", "key", "draft")
"""What a file need not say: then it stays as it is."""


@app.command(
    epilog="""Examples:

postsched edit 12 --at "tomorrow 9am"

postsched edit 12 --no-comment --for work="Another text"

postsched edit 12    (opens your editor)

An option that can be repeated replaces its list."""
)
@changes_post
def edit(
    ctx: typer.Context,
    post_id: OneId,
    new_text: TextArgument = None,
    *,
    text: NewText = None,
    draft: IsDraft = None,
    json: Json = False,
    **options: Any,
) -> None:
    """Change a post of which nothing is out; without options, in your editor."""
    if text is not None and new_text is not None:
        raise InvalidInput("there are two texts", "Give one of them")
    text = new_text if text is None else text
    file = options["file"]
    if text is not None and file is not None:
        raise InvalidInput("there is a text and a --file", "Give one of them")
    changes = given(text, options)
    _clear(changes, [name for name in CLEARED if options[clearing(name)]])
    if draft is not None:
        changes["draft"] = draft
    _edit(ctx.obj, post_id, changes, file, json=json)


def _clear(changes: dict[str, Any], names: Iterable[str]) -> None:
    """Take what is to be cleared into the changes."""
    blank = Draft()
    for name in names:
        field = CLEARED[name]
        if field in changes:
            raise InvalidInput(f"{name} is both given and cleared", "Give one of them")
        changes[field] = [] if field == "alts" else getattr(blank, field)


def _edit(
    program: Program, post_id: int, changes: dict[str, Any], file: str | None, *, json: bool
) -> None:
    from postsched.service import drafts, editing

    before = drafts.draft_of(program.desk, post_id)
    if changes or file is not None:
        base = _laid_over(before, read_file(file)) if file is not None else before
        source: AbstractContextManager[Draft | None] = nullcontext(_changed(base, changes))
    else:
        from postsched.cli.editor import edited

        source = edited(program, post_id, before)
    with source as after:
        composed = editing.edit(program.desk, post_id, before, after) if after else None
    if composed is None:
        program.say("Nothing was changed")
    else:
        for note in composed.notes:
            program.say(f"note: {note}")
    if json:
        from postsched.cli.posts import print_posts

        print_posts(program, [post_id], json=True, single=True)
    elif composed is not None:
        program.print(f"Post {post_id}: {sentence(program, composed)}")


def _changed(draft: Draft, changes: dict[str, Any]) -> Draft:
    """The draft with the changes. A time without a zone is in the person's zone; it makes a post
    of a draft, unless it is to stay one."""
    changes = dict(changes)
    if "at" in changes:
        changes.setdefault("tz", None)
        changes.setdefault("draft", False)
    return with_changes(draft, changes)


def _laid_over(before: Draft, found: Draft) -> Draft:
    """What a file says in place of all that the post said, but where it goes and when, if the file
    doesn't say that."""
    from postsched.cli.editor import with_kept_media

    kept = {name: getattr(before, name) for name in KEPT if not getattr(found, name)}
    if found.at:
        kept.pop("tz", None)
        kept["draft"] = found.draft
    return with_kept_media(replace(found, **kept), before)
