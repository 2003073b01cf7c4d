"""approve: drafts, of a person or of an agent, go out."""

from __future__ import annotations

import typer

from postsched.cli.options import Ids, Json
from postsched.cli.program import Program

app = typer.Typer()


@app.command(epilog="Examples:\n\npostsched approve 12\n\npostsched list --status draft")
def approve(ctx: typer.Context, ids: Ids, json: Json = False) -> None:
    """Let drafts go out at the time that each names: all of those named, or none."""
    from postsched.cli.drafting import sentence
    from postsched.service import editing

    program: Program = ctx.obj
    approved = editing.approve(program.desk, ids)
    for note in (note for composed in approved for note in composed.notes):
        program.say(f"note: {note}")
    if json:
        from postsched.cli.posts import print_posts

        print_posts(program, ids, json=True)
        return
    for post_id, composed in zip(dict.fromkeys(ids), approved, strict=True):
        program.print(f"Post {post_id}: {sentence(program, composed)}")
