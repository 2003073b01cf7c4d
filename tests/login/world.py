"""Processes that share a database, a keyring and a network whose refresh tokens work once."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

import httpx

from postsched.config import Settings
from postsched.domain.account import Account
from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.login import Logins
from postsched.platforms import oauth
from postsched.platforms.base import Login, PlatformError, Renewal
from postsched.store import accounts as account_rows
from postsched.store.database import Database
from postsched.testing import FakeClock, FakePlatform
from tests.store import rows

MARGIN = timedelta(minutes=10)
LIFE = timedelta(hours=2)
HTTP: Any = None
"""No adapter here makes a request."""


class Ring:
    """A keyring in memory that may fail or be slow, and an environment."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.environ: dict[str, str] = {}
        self.writes: list[str] = []
        self.on_write: Callable[[], None] = lambda: None
        self.lock = threading.Lock()

    def read(self, account: str) -> Secret | None:
        text = self.environ.get(account, self.kept.get(account))
        return None if text is None else Secret(json.loads(text))

    def write(self, account: str, secret: Secret) -> None:
        self.on_write()
        with self.lock:
            self.kept[account] = json.dumps(secret.reveal())
            self.writes.append(secret.text)

    def in_environment(self, account: str) -> bool:
        return account in self.environ

    def client_secret(self, platform: str) -> Secret | None:
        return None


class Network(FakePlatform):
    """Rotates: a refresh token works once, and the server rotates whether or not its answer
    arrives. `answers` are what the next refreshes come to on their way back: an error, or a
    function that is awaited."""

    needs_secret: ClassVar[bool] = True

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__()
        self.now = now
        self.count = 0
        self.good_refresh = "r0"
        self.ends: dict[str, datetime] = {}
        self.refused: set[str] = set()
        self.answers: list[Any] = []
        self.asked: list[str] = []

    def first(self, life: timedelta) -> dict[str, Any]:
        """The pair of the login, which ends after that time."""
        return self._pair(life)

    def _pair(self, life: timedelta) -> dict[str, Any]:
        end = self.now() + life
        pair = {"access_token": f"a{self.count}", "refresh_token": self.good_refresh,
                "expires_at": end.isoformat()}  # fmt: skip
        self.ends[pair["access_token"]] = end
        return pair

    def stale(self, login: Login, now: datetime) -> bool:
        return oauth.stale(login, now, MARGIN)

    async def refresh(
        self, login: Login, http: httpx.AsyncClient, now: datetime, *, refused: bool
    ) -> Renewal | None:
        assert login.secret is not None
        if not login.secret.get("refresh_token") or not (refused or self.stale(login, now)):
            return None
        current = {name: login.secret.get(name) for name in oauth.PAIR}
        before = login.secret.get("previous")
        try:
            return await self._rotate(current)
        except PlatformError as error:  # as `oauth.refresh` does
            if error.problem.kind is not ErrorKind.AUTH or not before:
                raise
            return await self._rotate(before)

    async def _rotate(self, before: Mapping[str, Any]) -> Renewal:
        token = before["refresh_token"]
        self.asked.append(token)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, httpx.ConnectError):
            raise answer
        if token != self.good_refresh:
            raise PlatformError(ErrorKind.AUTH, f"token {token} was used", http_status=400)
        self.count += 1
        self.good_refresh = f"r{self.count}"
        made = Renewal(Secret({**self._pair(LIFE), "previous": dict(before)}))
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            await answer()
        return made

    async def act(self, login: Login) -> str:
        """What needs a login that works; the access token it was done with."""
        assert login.secret is not None
        token = login.secret.text
        if token in self.refused or self.now() >= self.ends[token]:
            raise PlatformError(ErrorKind.AUTH, "unauthorized", http_status=401)
        return token


class World:
    """An account with a pair that still lives five minutes, and any number of processes."""

    def __init__(self, database: Database, life: timedelta = timedelta(minutes=5)) -> None:
        self.clock = FakeClock()
        self.database = database
        self.ring = Ring()
        self.network = Network(self.clock.now)
        with database.write() as connection:
            self.account = rows.account(connection, "me", "fake")
        self.keep(self.network.first(life))

    def keep(self, pair: Mapping[str, Any]) -> None:
        """Put a secret into the keyring."""
        self.ring.kept["me"] = json.dumps(dict(pair))

    def process(self, holder: str = "a") -> Logins:
        """Another process."""
        secrets: Any = self.ring
        return Logins(secrets, Settings("x.db"), self.database, self.clock.now, holder)

    async def use(self, process: Logins) -> str:
        """Do something with the login, and let all be kept; the access token it was done with."""
        done = await process.use(self.account, self.network, HTTP, self.network.act)
        await process.finish()
        return done

    def stored(self) -> dict[str, Any]:
        """What the keyring holds."""
        value: dict[str, Any] = json.loads(self.ring.kept["me"])
        return value

    def row(self) -> Account:
        """The account as it is in the database."""
        with self.database.read() as connection:
            found = account_rows.by_name(connection, "me")
        assert found is not None
        return found


def play(scene: Callable[[], Any]) -> Any:
    """Run a scene, for ten seconds at the most."""

    async def bounded() -> Any:
        async with asyncio.timeout(10):
            return await scene()

    return asyncio.run(bounded())
