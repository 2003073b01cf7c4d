"""The standard streams as they are in real life: closed, full, abandoned by their reader, or in an
encoding that can't say everything."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from postsched.domain.errors import NotAllowed


def mend() -> None:
    """Make all three streams usable. One that is closed leads to nowhere, so that no file takes
    its number; a character that the encoding lacks is written as an escape."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - for good
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def write(stream: TextIO, text: str) -> None:
    """Write to stdout or stderr. A reader that has gone wants no more: that is no error.

    Raises NotAllowed where stdout can't be written for another reason, such as a full disk.
    """
    _attempt(stream, lambda: stream.write(text))


def flush(stream: TextIO) -> None:
    """Hand over what is still held back; as `write`."""
    _attempt(stream, stream.flush)


def _attempt(stream: TextIO, act: Callable[[], object]) -> None:
    try:
        act()
    except BrokenPipeError:
        _abandon(stream)
    except OSError as error:
        _abandon(stream)
        if stream is not sys.stderr:
            raise NotAllowed(f"the output can't be written: {error.strerror}") from error


def _abandon(stream: TextIO) -> None:
    """Let what is still to be written lead to nowhere."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
