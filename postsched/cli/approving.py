"""approve: drafts, of a person or of an agent, go out."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from postsched.cli import streams
from postsched.cli.characters import printable
from postsched.cli.options import Ids, Json
from postsched.cli.program import Program

if TYPE_CHECKING:
    from postsched.domain.draft import Draft

app = typer.Typer()
SHOWN = 200
"""Characters of each part that are shown before a draft goes out."""


@app.command(epilog="Examples:\n\npostsched approve 12\n\npostsched approve 12 13 --yes")
def approve(
    ctx: typer.Context,
    ids: Ids,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    json: Json = False,
) -> None:
    """Let drafts go out at the time that each names.

    All of them, or none. On a terminal it shows what they say and asks; a draft that was changed
    since then is refused.
    """
    from postsched.cli.drafting import sentence
    from postsched.service import editing

    program: Program = ctx.obj
    seen = None
    if not yes and sys.stdin.isatty():
        seen = _asked(program, ids)
    approved = editing.approve(program.desk, ids, seen)
    for note in (note for composed in approved for note in composed.notes):
        program.say(f"note: {note}")
    if json:
        from postsched.cli.posts import print_posts

        print_posts(program, ids, json=True)
        return
    for post_id, composed in zip(dict.fromkeys(ids), approved, strict=True):
        program.print(f"Post {post_id}: {sentence(program, composed)}")


def _asked(program: Program, ids: Sequence[int]) -> Mapping[int, str]:
    """Show the drafts and ask; the fingerprints of what was shown. Raises NotFound, Abort."""
    from postsched.cli.posts import confirm
    from postsched.service.drafts import draft_of, fingerprint

    drafts = {post_id: draft_of(program.desk, post_id) for post_id in dict.fromkeys(ids)}
    for post_id, draft in drafts.items():  # --quiet or not: it is what is asked about
        streams.write(sys.stderr, printable(_shown(post_id, draft), sys.stderr) + "\n")
    confirm(program, "Let it go out?" if len(drafts) == 1 else "Let them go out?")
    return {post_id: fingerprint(draft) for post_id, draft in drafts.items()}


def _shown(post_id: int, draft: Draft) -> str:
    """A draft in a few lines: to whom, and every text and medium that goes out."""
    texts = [draft.text, *(part.text for part in draft.then), draft.comment]
    texts += [f"for {name}: {text}" for name, text in draft.variants.items()]
    shown = [*draft.media, *(one for part in draft.then for one in part.media)]
    media = [one.path or one.url for one in shown]
    said = [*texts, *(draft.texts or ()), draft.link, *media]
    return "\n".join(
        [f"Draft {post_id}, to {', '.join(draft.to)}:", *map(_line, filter(None, said))]
    )


def _line(text: str) -> str:
    from postsched.cli.render import one_line

    whole = one_line(text)
    return f"  {whole[: SHOWN - 1]}…" if len(whole) > SHOWN else f"  {whole}"
