"""arroba, a second PDS, in Python, from PyPI: starts in a second, keeps everything in memory.

It differs from the reference: putRecord writes over what is there whatever `swapRecord` says, it
takes no blobs, and its one token never ends.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from tests.servers.arroba_server import DID, HANDLE, PASSWORD
from tests.servers.process import ServerProcess, free_port

SCRIPT = Path(__file__).with_name("arroba_server.py")


def missing() -> str | None:
    """Why it can't be run, and how to change that; None if it can."""
    return None if find_spec("arroba") else "no arroba: pip install 'arroba[flask]'"


class Arroba:
    """A PDS with one account; `with Arroba(folder) as pds:` starts it."""

    handle, did, app_password = HANDLE, DID, PASSWORD

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, str(SCRIPT), str(port)]
        self.process = ServerProcess(command, folder / "arroba.log")

    def __enter__(self) -> Self:
        self.process.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.kill()
