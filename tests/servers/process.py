"""A server in a process of its own, for the tests: started, awaited, killed.

The server writes a line to stdout once it serves, and ends when its stdin does: so it never
outlives the tests, however they end. What else it says goes to a log file.
"""

from __future__ import annotations

import selectors
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path


class ServerProcess:
    """One process. `start` waits until it serves, at most `patience` seconds."""

    def __init__(self, command: Sequence[str], log: Path, patience: float = 60.0) -> None:
        self._command = list(command)
        self._log = log
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The server's own process id."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it serves; raises RuntimeError with the end of its log if it
        does not."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        if not self._says_so(self._process):
            self.kill()
            raise RuntimeError(f"the server did not start: {self._last_words()}")

    def kill(self) -> None:
        """SIGKILL, then wait until it is gone. Killing twice does no harm."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.kill()
        process.wait(10)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def _says_so(self, process: subprocess.Popen[bytes]) -> bool:
        assert process.stdout is not None
        deadline = time.monotonic() + self._patience
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(deadline - time.monotonic()):
                return False
        return bool(process.stdout.readline())

    def _last_words(self) -> str:
        return self._log.read_text(errors="replace")[-2000:]


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
