"""Where a document goes: stdout, or a file that is there completely or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

from postsched.cli import streams
from postsched.domain.errors import InvalidInput, NotAllowed


def to_stdout(write: Callable[[IO[bytes]], None]) -> None:
    """Have it written to stdout. Raises NotAllowed where that can't be written to."""
    try:
        write(sys.stdout.buffer)
    except BrokenPipeError:
        streams.flush(sys.stdout)  # its reader has gone
    except OSError as error:
        raise NotAllowed(f"the output can't be written: {error.strerror}") from error


def to_file(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Have it written to a file, which it replaces when all is there. Raises InvalidInput."""
    regular = path.is_file() or not path.exists()
    place = path.with_name(f".{path.name}.{os.getpid()}.new") if regular else path
    try:
        with place.open("xb" if regular else "wb") as out:
            write(out)
        if regular:
            place.replace(path)
    except OSError as error:
        raise InvalidInput(f"{path} can't be written: {error.strerror}", "Name another") from error
    finally:
        if regular:
            place.unlink(missing_ok=True)
