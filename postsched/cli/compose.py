"""add and edit: a post from the words of the command line."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from postsched.cli.completion import complete_account
from postsched.cli.options import Json, OneId, split
from postsched.cli.program import Program
from postsched.domain.draft import Draft, DraftMedia, DraftPart
from postsched.domain.errors import InvalidInput

if TYPE_CHECKING:
    from postsched.service.compose import Composed
    from postsched.service.posts import Added

app = typer.Typer()
LARGEST_TEXT_FILE = 4_000_000

Text = Annotated[
    str | None, typer.Argument(metavar="[TEXT]", help="The text; - reads it from stdin.")
]
File = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="Markdown, with front matter if you like."),
]
To = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Accounts or groups.", autocompletion=complete_account),
]
At = Annotated[
    str | None, typer.Option(metavar="WHEN", help='"2026-12-01T09:00", "fri 14:30", "now" …')
]
In = Annotated[
    str | None, typer.Option("--in", metavar="DURATION", help="From now: 90s, 2h, 1d12h.")
]
Tz = Annotated[str | None, typer.Option(metavar="ZONE", help="The time zone of --at.")]
MediaFiles = Annotated[
    list[str] | None, typer.Option("--media", metavar="PATH-OR-URL", help="A picture or film.")
]
Alt = Annotated[list[str] | None, typer.Option(metavar="TEXT", help="What the nth --media shows.")]
Then = Annotated[
    list[str] | None, typer.Option(metavar="TEXT", help="The next part of the thread.")
]
Comment = Annotated[str | None, typer.Option(metavar="TEXT", help="The first comment.")]
Link = Annotated[str | None, typer.Option(metavar="URL", help="A link, with a card.")]
Title = Annotated[str | None, typer.Option(metavar="TEXT", help="A title, where there are any.")]
For = Annotated[
    list[str] | None,
    typer.Option("--for", metavar="ACCOUNT=TEXT", help="Another text for one account."),
]
Visibility = Annotated[
    str | None, typer.Option(metavar="WHO", help="public, unlisted, followers or direct.")
]
Warn = Annotated[str | None, typer.Option("--warning", metavar="TEXT", help="Content warning.")]
Lang = Annotated[str | None, typer.Option(metavar="CODE", help="The language: en, pt-BR.")]
Tag = Annotated[list[str] | None, typer.Option(metavar="TAG", help="A label of yours, never sent.")]
Missed = Annotated[
    str | None, typer.Option(metavar="WORD", help="Past its grace: ask, skip or late.")
]
Grace = Annotated[
    str | None, typer.Option(metavar="DURATION", help="How late it may go out (24h).")
]
Priority = Annotated[int | None, typer.Option(metavar="N", help="Higher goes first (0).")]
Key = Annotated[str | None, typer.Option(metavar="KEY", help="The same key twice adds one post.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check it, and write nothing.")]


@app.command(
    epilog="""Examples:

postsched add "Hello" --to me --in 10s

postsched add "We are live" --to team --at "fri 14:30" --media cat.jpg --alt "A cat"

postsched add - --to me --at tomorrow\\ 9am < post.txt"""
)
def add(
    ctx: typer.Context,
    text: Text = None,
    file: File = None,
    to: To = None,
    at: At = None,
    in_: In = None,
    tz: Tz = None,
    draft: Annotated[bool, typer.Option("--draft", help="Keep it for later.")] = False,
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
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Schedule a post."""
    from postsched.service import posts

    program: Program = ctx.obj
    base = _from_file(file) if file else Draft()
    given: dict[str, Any] = {
        "text": _text(text), "to": split(to), "at": _when(at, in_), "tz": tz,
        "media": _media(media, alt), "then": _then(then), "comment": comment, "link": link,
        "title": title, "variants": _variants(for_), "visibility": visibility,
        "warning": warning, "lang": lang, "tags": split(tag), "missed": missed,
        "grace": grace, "priority": priority, "key": key, "draft": draft or base.draft,
    }  # fmt: skip
    if text is not None and file is not None:
        raise InvalidInput("there is a text and a --file", "Give one of them")
    wanted = replace(base, **{name: value for name, value in given.items() if value})
    if text is None and file is None and not wanted.media:
        raise InvalidInput("there is no text", "Give it, - to read it from stdin, or --file")
    added = posts.add(program.desk, wanted, dry_run=dry_run)
    _answer(program, added, json=json)


def _answer(program: Program, added: Added, *, json: bool) -> None:
    if added.composed:
        for note in added.composed.notes:
            program.say(f"note: {note}")
    if json and added.id is not None:
        from postsched.cli.posts import print_posts

        print_posts(program, [added.id], json=True, single=True)
        return
    if added.known:
        program.print(f"Post {added.id} is there already, with the same key")
        return
    assert added.composed is not None
    sentence = _sentence(added.composed)
    if added.id is None:
        words = f"Would add {sentence}; nothing was written"
        program.print_json({"dry_run": True, "said": words}) if json else program.print(words)
        return
    program.print(f"Post {added.id}: {sentence}")


def _sentence(composed: Composed) -> str:
    names = ", ".join(account.name for account in composed.accounts)
    if composed.draft:
        return f"a draft for {names}" + (f", {composed.said}" if composed.said else "")
    return f"{composed.said}, to {names}"


@app.command(
    epilog="""Examples:

postsched edit 12 --at "tomorrow 9am"

postsched edit 12 --no-comment --for work="Another text"

postsched edit 12    (opens your editor)"""
)
def edit(
    ctx: typer.Context,
    post_id: OneId,
    text: Annotated[
        str | None, typer.Option("--text", metavar="TEXT", help="The text; - reads stdin.")
    ] = None,
    file: File = None,
    to: To = None,
    at: At = None,
    in_: In = None,
    tz: Tz = None,
    draft: Annotated[
        bool | None, typer.Option("--draft/--no-draft", help="Make it a draft, or none.")
    ] = None,
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
    no_media: Annotated[bool, typer.Option("--no-media", help="Clear it.")] = False,
    no_then: Annotated[bool, typer.Option("--no-then", help="Clear it.")] = False,
    no_comment: Annotated[bool, typer.Option("--no-comment", help="Clear it.")] = False,
    no_link: Annotated[bool, typer.Option("--no-link", help="Clear it.")] = False,
    no_title: Annotated[bool, typer.Option("--no-title", help="Clear it.")] = False,
    no_for: Annotated[bool, typer.Option("--no-for", help="Clear it.")] = False,
    no_visibility: Annotated[bool, typer.Option("--no-visibility", help="Clear it.")] = False,
    no_warning: Annotated[bool, typer.Option("--no-warning", help="Clear it.")] = False,
    no_lang: Annotated[bool, typer.Option("--no-lang", help="Clear it.")] = False,
    no_tag: Annotated[bool, typer.Option("--no-tag", help="Clear it.")] = False,
    json: Json = False,
) -> None:
    """Change a post of which nothing is out; without options, in your editor."""
    program: Program = ctx.obj
    given: dict[str, Any] = {
        "text": _text(text), "to": split(to), "at": _when(at, in_), "tz": tz,
        "media": _media(media, alt), "then": _then(then), "comment": comment, "link": link,
        "title": title, "variants": _variants(for_), "visibility": visibility,
        "warning": warning, "lang": lang, "tags": split(tag), "missed": missed,
        "grace": grace, "priority": priority,
    }  # fmt: skip
    changes = {name: value for name, value in given.items() if value not in (None, (), {})}
    cleared = {
        "media": no_media, "then": no_then, "comment": no_comment, "link": no_link,
        "title": no_title, "variants": no_for, "visibility": no_visibility,
        "warning": no_warning, "lang": no_lang, "tags": no_tag,
    }  # fmt: skip
    blank = Draft()
    for name in (name for name, clear in cleared.items() if clear):
        if name in changes:
            raise InvalidInput(f"{name} is both given and cleared", "Give one of them")
        changes[name] = getattr(blank, name)
    if draft is not None:
        changes["draft"] = draft
    _edit(program, post_id, changes, file, json=json)


def _edit(
    program: Program, post_id: int, changes: dict[str, Any], file: Path | None, *, json: bool
) -> None:
    from postsched.cli.posts import print_posts
    from postsched.service import drafts, posts

    before = drafts.draft_of(program.desk, post_id)
    wanted = _from_file(file) if file else before
    if not changes and file is None:
        from postsched.cli.editor import edited

        wanted = edited(program, post_id, before)
        if wanted is None:
            program.say("Nothing was changed")
            return
    wanted = replace(wanted, **changes)
    rescheduled = wanted.at != before.at or "at" in changes
    if rescheduled and wanted.at and "draft" not in changes and not file:
        wanted = replace(wanted, draft=False)
    composed = posts.edit(program.desk, post_id, wanted, rescheduled=rescheduled)
    for note in composed.notes:
        program.say(f"note: {note}")
    if json:
        print_posts(program, [post_id], json=True, single=True)
    else:
        program.print(f"Post {post_id}: {_sentence(composed)}" if composed.said else
                      f"Post {post_id} is changed")  # fmt: skip


def _text(text: str | None) -> str | None:
    if text != "-":
        return text
    data = sys.stdin.buffer.read(LARGEST_TEXT_FILE + 1)
    if len(data) > LARGEST_TEXT_FILE:
        raise InvalidInput("the text on stdin is too large for a post")
    try:
        return data.decode("utf-8-sig").strip("\r\n")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"stdin is not UTF-8 (byte {error.start})", "Convert it") from None


def _when(at: str | None, in_: str | None) -> str | None:
    if in_ is None:
        return at
    if at is not None:
        raise InvalidInput("there are --at and --in", "Give one of them")
    from postsched.domain.duration import parse_duration

    parse_duration(in_)
    return f"in {in_.strip()}"


def _media(files: list[str] | None, alts: list[str] | None) -> tuple[DraftMedia, ...]:
    files, alts = files or [], alts or []
    if len(alts) > len(files):
        raise InvalidInput(
            f"there are {len(alts)} --alt for {len(files)} --media",
            "The nth --alt belongs to the nth --media",
        )
    padded = [*alts, *[None] * (len(files) - len(alts))]
    return tuple(
        DraftMedia(url=file, alt=alt)
        if file.startswith(("http://", "https://"))
        else DraftMedia(path=str(Path(file).expanduser().absolute()), alt=alt)
        for file, alt in zip(files, padded, strict=True)
    )


def _then(texts: list[str] | None) -> tuple[DraftPart, ...]:
    return tuple(DraftPart(text) for text in texts or ())


def _variants(items: list[str] | None) -> dict[str, str]:
    from postsched.cli.options import keys_and_values

    return keys_and_values(items, "--for")


def _from_file(file: Path) -> Draft:
    from postsched.transfer.markdown import parse

    try:
        data = file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"can't read {file}: {error.strerror}", "Check the path") from None
    if len(data) > LARGEST_TEXT_FILE:
        raise InvalidInput(f"{file} is too large for a post")
    try:
        return parse(data.decode("utf-8-sig"), str(file.parent.absolute()))
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file} is not UTF-8 (byte {error.start})", "Convert it") from None
