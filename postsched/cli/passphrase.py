"""account passphrase: another one for the encrypted secrets file."""

from __future__ import annotations

import typer

from postsched.cli.program import Program
from postsched.domain.errors import NotAllowed

EXAMPLES = (
    "Examples:\n\npostsched account passphrase\n\n"
    "POSTSCHED_PASSPHRASE_FD=3 POSTSCHED_NEW_PASSPHRASE_FD=4 \\\n"
    "postsched account passphrase 3<old 4<new"
)


def passphrase(ctx: typer.Context) -> None:
    """Change the passphrase of the secrets file.

    The old one is asked for, and the new one twice, unless POSTSCHED_PASSPHRASE and
    POSTSCHED_NEW_PASSPHRASE are set, or their twins with _FD, each the number of an open file
    descriptor to read it from.
    """
    program: Program = ctx.obj
    file = program.secrets.file
    if file is None:
        raise NotAllowed('no secrets file is used: secrets = "keyring"', "Nothing was changed")
    file.change_passphrase(program.new_passphrase)
    program.print(f"{file.path} has a new passphrase")
    program.say("Give it to all that use it: a postsched that runs has to be started again")
