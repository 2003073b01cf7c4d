"""edit: a post changed by options, by a file, or in the person's editor."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Annotated, Any

import typer

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
    read_file,
    sentence,
    with_changes,
)
from postsched.cli.options import Json, OneId
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


def _no(name: str) -> Any:
    return typer.Option(f"--no-{name}", help=f"Clear --{name}.", hidden=False)


@app.command(
    epilog="""Examples:

postsched edit 12 --at "tomorrow 9am"

postsched edit 12 --no-comment --for work="Another text"

postsched edit 12    (opens your editor)

An option that can be repeated replaces its list."""
)
def edit(
    ctx: typer.Context,
    post_id: OneId,
    new_text: TextArgument = None,
    text: NewText = None,
    file: File = None,
    to: To = None,
    at: At = None,
    in_: In = None,
    tz: Tz = None,
    draft: IsDraft = None,
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
    no_media: Annotated[bool, _no("media")] = False,
    no_alt: Annotated[bool, _no("alt")] = False,
    no_then: Annotated[bool, _no("then")] = False,
    no_comment: Annotated[bool, _no("comment")] = False,
    no_link: Annotated[bool, _no("link")] = False,
    no_title: Annotated[bool, _no("title")] = False,
    no_for: Annotated[bool, _no("for")] = False,
    no_visibility: Annotated[bool, _no("visibility")] = False,
    no_warning: Annotated[bool, _no("warning")] = False,
    no_lang: Annotated[bool, _no("lang")] = False,
    no_tag: Annotated[bool, _no("tag")] = False,
    no_missed: Annotated[bool, _no("missed")] = False,
    no_grace: Annotated[bool, _no("grace")] = False,
    no_priority: Annotated[bool, _no("priority")] = False,
    no_key: Annotated[bool, _no("key")] = False,
    json: Json = False,
) -> None:
    """Change a post of which nothing is out; without options, in your editor."""
    if text is not None and new_text is not None:
        raise InvalidInput("there are two texts", "Give one of them")
    text = new_text if text is None else text
    if text is not None and file is not None:
        raise InvalidInput("there is a text and a --file", "Give one of them")
    changes = given(
        text=text, to=to, at=at, in_=in_, tz=tz, media=media, alt=alt, then=then, for_=for_,
        tag=tag, priority=priority, comment=comment, link=link, title=title,
        visibility=visibility, warning=warning, lang=lang, missed=missed, grace=grace, key=key,
    )  # fmt: skip
    _clear(
        changes,
        media=no_media, alts=no_alt, then=no_then, comment=no_comment, link=no_link,
        title=no_title, variants=no_for, visibility=no_visibility, warning=no_warning,
        lang=no_lang, tags=no_tag, missed=no_missed, grace=no_grace, priority=no_priority,
        key=no_key,
    )  # fmt: skip
    if draft is not None:
        changes["draft"] = draft
    _edit(ctx.obj, post_id, changes, file, json=json)


def _clear(changes: dict[str, Any], **cleared: bool) -> None:
    """Take what is to be cleared into the changes."""
    blank = Draft()
    for name in (name for name, clear in cleared.items() if clear):
        if name in changes:
            raise InvalidInput(f"{name} is both given and cleared", "Give one of them")
        changes[name] = [] if name == "alts" else getattr(blank, name)


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
