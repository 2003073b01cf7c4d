"""media-host …"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from postsched.cli.group import Group
from postsched.cli.options import Json
from postsched.cli.program import Program
from postsched.domain.errors import InvalidInput

if TYPE_CHECKING:
    from postsched.store.hosted import Hosted

app = typer.Typer()
HELP = "Where files are put for networks that fetch them: show, set its secret, check."
host = typer.Typer(cls=Group, help=HELP)
app.add_typer(host, name="media-host")


@host.command(epilog="Example:\n\npostsched media-host show --json")
def show(ctx: typer.Context, json: Json = False) -> None:
    """What is set, where its secret is, and what of ours is there just now."""
    program: Program = ctx.obj
    document = _document(program)
    if json:
        program.print_json(document)
        return
    if document["url"] is None:
        program.print("No media host is set. See [media_host] in the documentation")
    for key in ("url", "bucket", "region", "public_url", "secret"):
        if document[key] is not None:
            program.print(f"{key.replace('_', ' ')}: {document[key]}")
    if document["url"] and document["secret"] is None:
        program.print("secret: none. Give it: postsched media-host set --secret-stdin")
    for one in document["objects"]:
        problem = f", can't be removed: {one['problem']}" if one["problem"] else ""
        program.print(f"object: {one['name']}, since {one['made_at']}{problem}")


@host.command(
    name="set",
    epilog="Examples:\n\npostsched media-host set --secret-stdin < keys.json\n\n"
    "postsched media-host set",
)
def set_(
    ctx: typer.Context,
    secret_stdin: Annotated[
        bool, typer.Option("--secret-stdin", help="Read the secret from stdin.")
    ] = False,
) -> None:
    """Keep the secret of the media host; it is asked for, or read from stdin.

    For a bucket that is {"access_key": "…", "secret_key": "…"}; else a token, or {"user": "…",
    "password": "…"}.
    """
    from postsched.cli.secret_input import secret_from
    from postsched.domain.hosting import ENTRY
    from postsched.service import hosting

    program: Program = ctx.obj
    if not secret_stdin and not sys.stdin.isatty():
        raise InvalidInput("it isn't said where the secret comes from", "Give --secret-stdin")
    place = hosting.set_secret(program.desk, program.secrets, secret_from(sys.stdin))
    program.print(f"The secret of {place.name} is kept. Try it: postsched media-host check")
    file = program.secrets.file
    if file is not None and program.secrets.source(ENTRY) == "file":
        program.say(f"It is encrypted in {file.path}")


@host.command(epilog="Example:\n\npostsched media-host check")
def check(ctx: typer.Context, json: Json = False) -> None:
    """Put a small file there, fetch it from its public address, and remove it."""
    from postsched.service import trial

    program: Program = ctx.obj
    done = trial.check(program.desk, program.secrets)
    if json:
        program.print_json({"place": done.place.name, "seconds": done.seconds})
    else:
        program.print(f"{done.place.name}: stored, fetched and removed, {done.seconds:.1f} s")


@host.command(epilog="Example:\n\npostsched media-host remove")
def remove(ctx: typer.Context) -> None:
    """Forget the secret of the media host."""
    from postsched.domain.hosting import ENTRY

    program: Program = ctx.obj
    if program.secrets.in_environment(ENTRY):
        raise InvalidInput(
            "the secret of the media host is in the environment",
            "Unset POSTSCHED_MEDIA_HOST_SECRET",
        )
    program.secrets.delete(ENTRY)
    program.print("The secret of the media host is removed")


def _document(program: Program) -> dict[str, Any]:
    from postsched.domain.hosting import ENTRY
    from postsched.store import hosted

    place = program.settings.media_host
    with program.database.read() as connection:
        objects = hosted.every(connection)
    return {
        "url": place.url if place else None,
        "bucket": place.bucket if place else None,
        "region": place.region if place else None,
        "public_url": place.public_url if place else None,
        "secret": program.secrets.source(ENTRY),
        "objects": [_object(one) for one in objects],
    }


def _object(one: Hosted) -> dict[str, Any]:
    from postsched.transfer.documents import rfc3339

    return {
        "name": one.name,
        "place": one.place,
        "delivery": one.delivery_id,
        "made_at": rfc3339(one.made_at),
        "stored_at": rfc3339(one.stored_at),
        "remove_at": rfc3339(one.remove_at),
        "tries": one.tries,
        "problem": one.problem,
    }
