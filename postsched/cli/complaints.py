"""What an error comes to: one sentence on stderr, and an exit code. Said here, and nowhere else."""

from __future__ import annotations

import re

from typer.exceptions import TyperException

from postsched.domain.errors import (
    InvalidInput,
    NotAllowed,
    NotFound,
    PostschedError,
    SecretUnavailable,
    StoreUnavailable,
)

EXIT_CODES: tuple[tuple[type[PostschedError], int], ...] = (
    (NotAllowed, 1),
    (InvalidInput, 2),
    (NotFound, 3),
    (StoreUnavailable, 4),
    (SecretUnavailable, 4),
)
PERMISSIONS = "Look at its permissions, and at those of the folders above it"
USAGE = (
    (
        re.compile(r"^Got unexpected extra arguments?(?:\(s\))? \((.*)\)$"),
        r"there is no place for '\1'. A text with spaces in it needs quotes",
    ),
    (
        re.compile(r"^No such option: (--db|--config|--quiet|--verbose|-q|-v)\b.*$"),
        r"\1 goes before the command: postsched \1 … COMMAND",
    ),
    (re.compile(r" \(Possible options: (.*)\)$"), r". Did you mean \1?"),
    (re.compile(r"is not a valid int(?:eger)?(?: range)?$"), "is no whole number"),
)
"""What the library says of mistakes that are made often -> what helps."""


def complaint(error: Exception) -> tuple[str, int]:
    """What an error comes to: a sentence for the person, and an exit code."""
    if isinstance(error, TyperException):
        return _usage(error), 2
    if isinstance(error, PostschedError):
        codes = (code for kind, code in EXIT_CODES if isinstance(error, kind))
        return str(error), next(codes, 1)
    if isinstance(error, PermissionError) and error.filename:
        return f"{error.filename} can't be used: {error.strerror}. {PERMISSIONS}", 2
    return _unexpected(error), 1


def _unexpected(error: Exception) -> str:
    what = " ".join(str(error).split()) or "no more is known"
    return (
        f"this is a bug in postsched ({type(error).__name__}: {what[:300]}). "
        "Please report it with the output of the same command with -vv"
    )


def _plainly(text: str) -> str:
    for pattern, words in USAGE:
        text = pattern.sub(words, text)
    return text


def _usage(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "postsched"
    text = _plainly(" ".join(error.format_message().split()).rstrip("."))
    if not text.endswith("?"):
        text += "."
    return f"{text[:1].lower()}{text[1:]} See: {path} --help"
