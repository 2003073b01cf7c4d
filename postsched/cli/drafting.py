"""The options by which a post is written, for `add` and `edit`, and how they become a draft."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from postsched.cli.completion import complete_account
from postsched.cli.options import keys_and_values, names
from postsched.domain.errors import InvalidInput

if TYPE_CHECKING:
    from postsched.cli.program import Program
    from postsched.domain.draft import Draft, DraftMedia, DraftPart
    from postsched.service.compose import Composed

LARGEST_TEXT_FILE = 4_000_000
MOST_PRIORITY = 2**31 - 1

File = Annotated[
    str | None,
    typer.Option("--file", metavar="FILE", help="Markdown with front matter; - for stdin."),
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
Alt = Annotated[list[str] | None, typer.Option(metavar="TEXT", help="What the nth medium shows.")]
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
Priority = Annotated[
    int | None,
    typer.Option(metavar="N", help="Higher goes first (0).", min=-MOST_PRIORITY, max=MOST_PRIORITY),
]
Key = Annotated[str | None, typer.Option(metavar="KEY", help="The same key twice adds one post.")]


def given(
    *,
    text: str | None,
    to: list[str] | None,
    at: str | None,
    in_: str | None,
    tz: str | None,
    media: list[str] | None,
    alt: list[str] | None,
    then: list[str] | None,
    for_: list[str] | None,
    tag: list[str] | None,
    priority: int | None,
    **words: str | None,
) -> dict[str, Any]:
    """What the options say, by the names of "Posts as data": only what is given.

    `alts` are alt texts without media: they belong to those that the post has already.
    """
    for option, word in {"at": at, "tz": tz, **words}.items():
        if word is not None and not word.strip():
            raise InvalidInput(f"--{option} is empty", "Say something, or leave it out")
    found = {
        "text": read_text(text), "to": names(to, "--to"), "at": _when(at, in_), "tz": tz,
        "media": _media(media, alt), "alts": None if media else alt,
        "then": _parts(then),
        "variants": _variants(for_), "tags": names(tag, "--tag"), "priority": priority, **words,
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def wanted(text: str | None, file: str | None, options: Mapping[str, Any]) -> Draft:
    """The draft of the text or the file, with what the options say."""
    from postsched.domain.draft import Draft

    if text is not None and file is not None:
        raise InvalidInput("there is a text and a --file", "Give one of them")
    draft = with_changes(read_file(file) if file is not None else Draft(), options)
    if text is None and file is None and not draft.media:
        raise InvalidInput("there is no text", "Give it, - to read it from stdin, or --file")
    return draft


def with_changes(draft: Draft, changes: Mapping[str, Any]) -> Draft:
    """The draft with what the options say in place of what it said."""
    from dataclasses import replace

    rest = dict(changes)
    alts = rest.pop("alts", None)
    changed = replace(draft, **rest)
    if alts is None:
        return changed
    return replace(changed, media=_with_alts(changed.media, alts))


def _with_alts(media: tuple[DraftMedia, ...], alts: list[str]) -> tuple[DraftMedia, ...]:
    from dataclasses import replace

    if len(alts) > len(media):
        raise InvalidInput(
            f"{len(alts)} --alt for {len(media)} media",
            "The nth --alt belongs to the nth --media",
        )
    padded = [*alts, *[None] * (len(media) - len(alts))]
    return tuple(replace(one, alt=alt or None) for one, alt in zip(media, padded, strict=True))


def read_text(text: str | None) -> str | None:
    """A text that was given, `-` for what is on stdin."""
    return _stdin().strip("\n") if text == "-" else text


def read_file(name: str) -> Draft:
    """The draft in a Markdown file; relative media paths start from its folder."""
    from postsched.transfer import markdown

    if name == "-":
        return markdown.parse(_stdin(), str(Path.cwd()))
    path = Path(name).expanduser()
    if path.is_file() and path.stat().st_size > LARGEST_TEXT_FILE:
        raise InvalidInput(f"{name} is too large for a post", "Give a Markdown file")
    return markdown.read_post(path)


def sentence(program: Program, composed: Composed) -> str:
    """Where and when a post goes: the time as it was understood, with zone and distance."""
    from postsched.domain.when import describe
    from postsched.domain.zones import zone_named

    accounts = ", ".join(account.name for account in composed.accounts)
    first = composed.schedule.first()
    said = describe(first, program.now(), zone_named(composed.schedule.tz)) if first else ""
    if composed.draft:
        return f"a draft for {accounts}" + (f", {said}" if said else "")
    return f"{said}, to {accounts}"


def _stdin() -> str:
    data = sys.stdin.buffer.read(LARGEST_TEXT_FILE + 1)
    if len(data) > LARGEST_TEXT_FILE:
        raise InvalidInput("what is on stdin is too large for a post", "Give less")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"stdin is not UTF-8 (byte {error.start})", "Convert it") from None


def _when(at: str | None, in_: str | None) -> str | None:
    if in_ is None:
        return at
    if at is not None:
        raise InvalidInput("there are --at and --in", "Give one of them")
    from postsched.domain.duration import format_duration, parse_duration

    length = parse_duration(in_)
    hours, rest = divmod(length, timedelta(hours=1))  # in a duration, a day has 24 hours
    return f"in {hours}h" + (format_duration(rest) if rest else "")


def _parts(texts: list[str] | None) -> tuple[DraftPart, ...] | None:
    from postsched.domain.draft import DraftPart

    return None if texts is None else tuple(DraftPart(text) for text in texts)


def _media(files: list[str] | None, alts: list[str] | None) -> tuple[DraftMedia, ...] | None:
    from postsched.domain.draft import ADDRESS, DraftMedia

    if files is None:
        return None
    if not all(files):
        raise InvalidInput("--media is empty", "Name a file, or leave it out")
    media = (
        DraftMedia(url=file)
        if ADDRESS.match(file)
        else DraftMedia(path=str(Path(file).expanduser().absolute()))
        for file in files
    )
    return _with_alts(tuple(media), alts or [])


def _variants(items: list[str] | None) -> dict[str, str] | None:
    if items is None:
        return None
    texts: dict[str, str] = {}
    for item in items:
        for name, text in keys_and_values([item], "--for").items():
            if not text.strip() or name in texts:
                fault = "is empty" if name not in texts else "is there twice"
                raise InvalidInput(f"--for {name} {fault}", "Give each account one text")
            texts[name] = text
    return texts
