"""Rigs whose databases are on PostgreSQL, each behind a proxy of its own: workers on hosts that
nothing but the database connects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from postsched import wakeup
from postsched.config import Settings
from postsched.engine.clock import ServerClock
from postsched.platforms.base import Platform
from postsched.secrets import Secrets
from postsched.store.opening import open_database
from tests.engine.rig import Rig
from tests.servers import postgres
from tests.servers.between import Between

PATIENCE = 2.0
"""Seconds a turn waits for others, as in the daemon."""


class RemoteRig(Rig):
    """A host. What the test itself looks at, it looks at without the proxy."""

    def __init__(
        self, home: Path, url: str, between: Between, platforms: Mapping[str, Platform], **more: Any
    ) -> None:
        self.between = between
        self.clock = ServerClock()
        self.platforms = platforms
        name = urlsplit(url).path
        through = f"postgresql://postgres:@127.0.0.1:{between.port}{name}?sslmode=disable"
        self.settings = replace(
            Settings(through, media_dir=home / "media", state_dir=home / "state"), **more
        )
        self.secrets = Secrets({})
        self.database = open_database(through, PATIENCE)
        self.other = open_database(url)
        self.bells = wakeup.folder_for(self.settings)
        self.events = []
        self._turns = []

    def close(self) -> None:
        """Break what hangs: its end would be waited for."""
        self.database.cut()
        super().close()

    def engine(self, kind: str = "run") -> Any:
        """A new worker."""
        self.clock.adjust(self.database)
        return super().engine(kind)


@contextmanager
def host(home: Path, platforms: Mapping[str, Platform], lease: float) -> Iterator[RemoteRig]:
    """A host by the name of its home; all in one folder share a database. Claims hold for `lease`
    seconds."""
    url = postgres.database(str(home.parent))
    sockets = Path(parse_qs(urlsplit(url).query)["host"][0])
    home.mkdir()
    with Between(sockets / ".s.PGSQL.5432") as between:
        rig = RemoteRig(
            home, url, between, platforms, claim_timeout=timedelta(seconds=lease),
            timeout=timedelta(seconds=lease / 4), retry_delay=timedelta(milliseconds=100),
        )  # fmt: skip
        try:
            yield rig
        finally:
            rig.close()
