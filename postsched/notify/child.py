"""A program started without a shell, for so many seconds at the most, and never beyond its caller.

What it is given and what it says goes through files, not pipes: a program that reads nothing, says
too much, or leaves another behind that keeps a pipe open, holds nobody up.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO

HEARD = 100_000
"""Bytes of what it says that are kept."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: its exit code, None if it took too long, and what it said."""

    code: int | None
    out: str
    err: str


async def run(
    words: Sequence[str], given: str, environ: Mapping[str, str] | None, seconds: float
) -> Ended:
    """Start a program with `given` on its standard input, and wait for its end. Without an
    `environ` it has ours.

    Raises OSError where it can't be started, ValueError for words that no system takes. However
    this ends, the program and what it has started are ended too.
    """
    with TemporaryFile() as stdin, TemporaryFile() as out, TemporaryFile() as err:
        stdin.write(given.encode("utf-8", "replace"))
        stdin.seek(0)
        process = await asyncio.create_subprocess_exec(
            *words, stdin=stdin, stdout=out, stderr=err, start_new_session=True,
            env=None if environ is None else dict(environ),
        )  # fmt: skip
        code: int | None = None
        try:
            async with asyncio.timeout(seconds):
                code = await process.wait()
        except TimeoutError:
            pass
        finally:
            if process.returncode is None:
                await _end(process)
        return Ended(code, _heard(out), _heard(err))


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)  # a session of its own: its group has its number
    await asyncio.shield(process.wait())


def _heard(file: IO[bytes]) -> str:
    """The end of what it said."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - HEARD))
    return file.read(HEARD).decode("utf-8", "replace")
