"""add: a post from the words of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

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
    sentence,
    wanted,
)
from postsched.cli.options import Json
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
def add(
    ctx: typer.Context,
    text: Text = None,
    file: File = None,
    to: To = None,
    at: At = None,
    in_: In = None,
    tz: Tz = None,
    draft: IsDraft = False,
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
    """Write a post."""
    from postsched.cli.progress import files_line
    from postsched.service import posts

    program: Program = ctx.obj
    options = given(
        text=text, to=to, at=at, in_=in_, tz=tz, media=media, alt=alt, then=then, for_=for_,
        tag=tag, priority=priority, comment=comment, link=link, title=title,
        visibility=visibility, warning=warning, lang=lang, missed=missed, grace=grace, key=key,
    )  # fmt: skip
    post = wanted(text, file, options | {"draft": True} if draft else options)
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
        program.print_json(_would_be(program, added.composed))
    elif added.composed:
        words = sentence(program, added.composed)
        dry = added.id is None
        program.print(f"Would add: {words}" if dry else f"Post {added.id}: {words}")


def _warn_of_endings(program: Program, composed: Composed) -> None:
    """Say which logins will have ended by then."""
    from postsched.service import endings

    for ending in endings.before(composed.accounts, composed.occurrence):
        program.warn(endings.sentence(ending, program.now(), program.zone))


def _would_be(program: Program, composed: Composed) -> dict[str, Any]:
    """The JSON of a post that was not written: it has no number."""
    from postsched.domain.delivery import Delivery, DeliveryStatus
    from postsched.service.posts import new_post
    from postsched.transfer.documents import post_document

    at = composed.occurrence
    deliveries = [
        Delivery(
            0, 0, account.id, account.name, account.platform, at, at, at, DeliveryStatus.SCHEDULED
        )
        for account in composed.accounts
        if at is not None
    ]
    document = post_document(new_post(composed, program.now()), composed.schedule, deliveries)
    document["id"] = None
    for delivery in document["deliveries"]:
        delivery["id"] = delivery["post_id"] = None
    return document
