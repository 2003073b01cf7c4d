"""The logins of all accounts, for one process: kept for a minute, renewed when stale or refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from postsched.domain.account import Account
from postsched.domain.outcome import ErrorKind, Problem
from postsched.domain.secret import Secret
from postsched.login.account import cleaned, hide, scrubbed, with_command
from postsched.login.pair import PREVIOUS, is_any, same, settled
from postsched.login.reading import PATIENCE, Reader
from postsched.login.renewal import Renewer, Turn
from postsched.platforms.base import Login, Platform, PlatformError

if TYPE_CHECKING:
    import httpx

    from postsched.config import Settings
    from postsched.secrets import Secrets
    from postsched.store.database import Database

T = TypeVar("T")
FRESH = timedelta(minutes=1)
"""How long a secret that was read is used before it is read again: it may have been replaced."""

FINISH = 5.0
"""Seconds a process waits at its end for what it still has to write."""
SEEN = 4
"""So many logins of an account are remembered, to find their secrets in a server's words: an
answer may come when the login it was made with has been renewed."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A login that was read, with the account as it was then."""

    read_at: datetime
    account: Account
    login: Login


class Logins:
    """The logins of all accounts, for one process."""

    def __init__(
        self,
        secrets: Secrets,
        settings: Settings,
        database: Database,
        now: Callable[[], datetime],
        holder: str,
        patience: float = PATIENCE,
    ) -> None:
        self._reader = Reader(secrets, settings, patience)
        # Twice the time of one request: an adapter may have to make two.
        seconds = 2 * settings.request_timeout + 5
        self._renewer = Renewer(self._reader, database, now, holder, seconds)
        self._now = now
        self._kept: dict[str, Kept] = {}
        self._ahead: dict[str, tuple[datetime, Secret]] = {}
        self._seen: dict[str, tuple[Login, ...]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._settling: dict[str, asyncio.Task[None]] = {}

    async def get(
        self,
        account: Account,
        platform: Platform,
        http: httpx.AsyncClient,
        *,
        refused: Sequence[Login] = (),
    ) -> Login:
        """The login of an account. `refused` are those that the network did not take; the last is
        given again where there is nothing instead.

        Raises PlatformError(AUTH) where only a person can help, SecretUnavailable where the
        keyring can't be used, httpx errors where a renewal can't reach the network.
        """
        lock = self._locks.get(account.uid)
        if lock is None:
            lock = self._locks[account.uid] = asyncio.Lock()
        kept = self._kept.get(account.uid)
        if kept and not refused and not lock.locked() and self._is_fresh(kept, account):
            return kept.login
        async with lock:
            kept = self._kept.get(account.uid)
            if kept and self._is_fresh(kept, account) and not is_any(kept.login, refused):
                return kept.login
            login = await self._read(account, platform, kept.login if kept else None)
            self._see(account, login)
            login = await self._renewer.usable(Turn(account, platform, http, refused), login)
            self._see(account, login)
            self._kept[account.uid] = Kept(self._now(), account, login)
            return login

    async def read_ahead(self, account: Account, platform: Platform) -> None:
        """Make sure that the account's secret can be read, and keep it for the next `get`. That
        there is none is for `get` to find: it may be given until then.

        Raises SecretUnavailable, and InvalidInput where the environment has what is no secret.
        """
        secret = await self._reader.secret(account) if platform.needs_secret else None
        if secret is not None:
            self._ahead[account.uid] = (self._now(), secret)

    def _see(self, account: Account, login: Login) -> None:
        seen = self._seen.get(account.uid, ())
        if not is_any(login, seen):
            self._seen[account.uid] = (login, *seen[: SEEN - 1])

    def _is_fresh(self, kept: Kept, account: Account) -> bool:
        same = kept.account is account or kept.account == account
        return same and self._is_recent(kept.read_at)

    def _is_recent(self, read_at: datetime) -> bool:
        return abs(self._now() - read_at) <= FRESH

    async def use(
        self,
        account: Account,
        platform: Platform,
        http: httpx.AsyncClient,
        action: Callable[[Login], Awaitable[T]],
    ) -> T:
        """Do something with the account's login; if the network refuses the login, do it again
        with what there is instead, or once more with the same: a refusal proves that nothing was
        done. Raises as `get` and `action` do; the error of a refused login says the one command
        that mends it. Neither an answer nor an error has the login's secrets in it."""
        tried: list[Login] = []
        try:
            login = await self.get(account, platform, http)
            most = _most(login)
            while True:
                try:
                    done = cleaned(await action(login), login)
                except PlatformError as error:
                    hide(error, login)
                    refused = error.problem.kind is ErrorKind.AUTH and not error.hold
                    if not refused or len(tried) + 1 >= most:
                        raise
                    tried.append(login)
                    login = await self.get(account, platform, http, refused=tried)
                else:
                    self._settle(account, login)
                    return done
        except PlatformError as error:
            if error.problem.kind is ErrorKind.AUTH and not error.hold:
                given = self._reader.from_environment(account)
                error.problem = with_command(error.problem, account, platform, in_environment=given)
            raise

    def _settle(self, account: Account, login: Login) -> None:
        """At leisure, drop the pair before one that has just worked."""
        if login.secret is None or account.uid in self._settling:
            return
        after = settled(login.secret)
        if after is None or self._reader.from_environment(account):
            return
        kept = self._kept.get(account.uid)
        if kept and same(kept.login.secret, login.secret):
            settled_login = replace(kept.login, secret=after)
            self._kept[account.uid] = replace(kept, login=settled_login)
        task = asyncio.create_task(self._renewer.settle(account, login))
        self._settling[account.uid] = task
        task.add_done_callback(lambda _: self._settling.pop(account.uid))

    async def finish(self) -> None:
        """Wait until all is kept as it should be, but not for long: it is kept well enough."""
        if self._settling:
            await asyncio.wait(list(self._settling.values()), timeout=FINISH)

    def scrub(self, account: Account, problem: Problem) -> Problem:
        """The problem without the account's secret, in case a server's words repeat it."""
        for login in self._seen.get(account.uid, ()):
            problem = scrubbed(problem, login)
        return problem

    def forget(self) -> None:
        """Read every secret anew at its next use."""
        self._kept.clear()
        self._ahead.clear()

    async def _read(self, account: Account, platform: Platform, kept: Login | None) -> Login:
        if not platform.needs_secret:
            return self._reader.login(account, platform, None)
        read_at, secret = self._ahead.pop(account.uid, (None, None))
        if read_at is not None and self._is_recent(read_at):
            login = self._reader.login(account, platform, secret)
        else:
            login = await self._reader.read(account, platform)
        if kept and kept.secret and self._reader.from_environment(account):
            return replace(login, secret=kept.secret)  # renewed here, and saved nowhere
        return login


def _most(login: Login) -> int:
    """How often something is done at the most: with the login, with the pair before where there is
    one, and with a renewed one."""
    return 3 if login.secret is not None and login.secret.get(PREVIOUS) else 2
