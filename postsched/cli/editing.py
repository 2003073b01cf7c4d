"""edit: a post changed by options, by a file, or in the person's editor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Annotated, Any

import typer

from postsched.cli.drafting import given, read_file, sentence, with_changes
from postsched.cli.options import Account, Json, Occurrence, OneId
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
KEPT = ("to", "key", "draft")
"""What a file need not say: then it stays as it is."""
TIME = (
    "at", "tz", "repeat", "cron", "rrule", "slot", "every", "on", "except_", "from_", "until",
    "count",
)  # fmt: skip
"""What a file that says nothing of a time leaves as it is."""


@app.command(
    epilog="""Examples:

postsched edit 12 --at "tomorrow 9am"

postsched edit 12 --no-comment --for work="Another text"

postsched edit 12 --occurrence "2026-12-24 09:00" --at "2026-12-23 09:00"

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
    occurrence: Occurrence = None,
    account: Account = None,
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
    if account is not None and occurrence is None:
        raise InvalidInput(
            "--account goes with --occurrence", "Say where a post goes with --to, or --for ACCOUNT"
        )
    if occurrence is not None:
        cleared = [name for name in CLEARED if options[clearing(name)]]
        _edit_one(ctx.obj, post_id, (occurrence, account), changes, cleared, json=json)
        return
    _clear(changes, [name for name in CLEARED if options[clearing(name)]])
    if draft is not None:
        changes["draft"] = draft
    _edit(ctx.obj, post_id, changes, file, json=json)


def _edit_one(
    program: Program,
    post_id: int,
    named: tuple[str, list[str] | None],
    changes: dict[str, Any],
    cleared: Sequence[str],
    *,
    json: bool,
) -> None:
    """Move one occurrence of a series, or give it a text of its own."""
    from postsched.cli.options import which
    from postsched.domain.when import describe, understand
    from postsched.domain.zones import zone_named
    from postsched.service import occurrences

    if (other := [*(changes.keys() - {"text", "at", "tz"}), *cleared]) or not changes:
        said = f"--{other[0].strip('_').replace('_', '-')} changes" if other else "nothing changes"
        raise InvalidInput(f"{said} one occurrence", "Give a text, or --at WHEN")
    zone = zone_named(changes["tz"]) if "tz" in changes else program.zone
    moment = understand(changes["at"], program.now(), zone) if "at" in changes else None
    chosen = which(program, named[1], named[0], None)
    once = occurrences.change(
        program.desk, post_id, chosen, moment.instant if moment else None, changes.get("text")
    )
    for note in (*([moment.note] if moment and moment.note else ()), *once.notes):
        program.say(f"note: {note}")
    if json:
        from postsched.cli.posts import print_posts

        print_posts(program, [post_id], json=True, single=True)
        return
    due = describe(once.changed[0].due_at, program.now(), zone)
    accounts = ", ".join(delivery.account for delivery in once.changed)
    program.print(f"Post {post_id}, this once: {due}, to {accounts}")


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
        source: AbstractContextManager[Draft | None] = nullcontext(_revised(base, changes))
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


def _revised(base: Draft, changes: dict[str, Any]) -> Draft:
    """The draft with what the options say; alt texts without media are for those it has."""
    from postsched.service.revising import revised

    alts = {"alts": changes.pop("alts")} if "alts" in changes else {}
    return with_changes(revised(base, changes), alts)


def _laid_over(before: Draft, found: Draft) -> Draft:
    """What a file says in place of all that the post said, but where it goes and when, if the file
    doesn't say that."""
    from postsched.cli.editor import with_kept_media

    names = KEPT if found.has_time else (*KEPT, *TIME)
    kept = {name: getattr(before, name) for name in names if not getattr(found, name)}
    if found.has_time:
        kept["draft"] = found.draft
    return with_kept_media(replace(found, **kept), before)
