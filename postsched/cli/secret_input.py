"""A secret from standard input: typed unseen at a terminal, or read from a pipe; never an
argument, which all can see."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

import typer

from postsched.domain.errors import InvalidInput

if TYPE_CHECKING:
    from postsched.domain.secret import Secret

LARGEST_SECRET = 65_536
"""Bytes."""


def secret_from(stdin: TextIO) -> Secret:
    """The secret. Raises InvalidInput, without any of it, for what can't be one."""
    from postsched.secrets import parse

    if stdin.isatty():
        return parse(typer.prompt("Secret", hide_input=True, err=True))
    data = stdin.buffer.read(LARGEST_SECRET + 1)
    try:
        return parse(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InvalidInput("the secret on stdin is not UTF-8 text") from None
