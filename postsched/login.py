"""An account's login as the adapters get it: its secret, read, renewed when stale, and kept.

A renewal is made by one process at a time, under a lease in the database, and saved before it is
used. Secrets from the environment are renewed for this process only and saved nowhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from postsched.domain.account import Account
from postsched.domain.errors import SecretUnavailable
from postsched.domain.outcome import ErrorKind, Problem
from postsched.domain.secret import Secret
from postsched.platforms.base import Login, Platform, PlatformError
from postsched.store import accounts as account_rows

if TYPE_CHECKING:
    import httpx

    from postsched.config import Settings
    from postsched.secrets import Secrets
    from postsched.store.database import Database

T = TypeVar("T")
FRESH = timedelta(minutes=1)
"""How long a secret that was read is used before it is read again: it may have been replaced."""
LEASE = timedelta(seconds=90)


class Logins:
    """The logins of all accounts, for one process."""

    def __init__(
        self,
        secrets: Secrets,
        settings: Settings,
        database: Database,
        now: Callable[[], datetime],
        holder: str,
    ) -> None:
        self._secrets = secrets
        self._settings = settings
        self._database = database
        self._now = now
        self._holder = holder
        self._kept: dict[int, tuple[datetime, Login]] = {}
        self._locks: dict[int, asyncio.Lock] = {}

    async def get(
        self,
        account: Account,
        platform: Platform,
        http: httpx.AsyncClient,
        *,
        refused: bool = False,
    ) -> Login:
        """The login of an account. `refused`: the network did not take the last one.

        Raises PlatformError(AUTH) where only a person can help, SecretUnavailable where the
        keyring can't be used, httpx errors where a renewal can't reach the network.
        """
        async with self._locks.setdefault(account.id, asyncio.Lock()):
            read_at, login = self._kept.get(account.id, (None, None))
            stale = read_at is None or self._now() - read_at > FRESH
            if login is None or stale or refused:
                login = await self._read(account, platform, login)
                login = await self._renewed(account, platform, login, http, refused=refused)
                self._kept[account.id] = (self._now(), login)
            return login

    async def use(
        self,
        account: Account,
        platform: Platform,
        http: httpx.AsyncClient,
        action: Callable[[Login], Awaitable[T]],
    ) -> T:
        """Do something with the account's login; if the network refuses the login, renew it and do
        it once more: a refusal proves that nothing was done. Raises as `get` and `action` do."""
        login = await self.get(account, platform, http)
        try:
            return await action(login)
        except PlatformError as error:
            if error.problem.kind is not ErrorKind.AUTH:
                raise
        login = await self.get(account, platform, http, refused=True)
        return await action(login)

    def scrub(self, account: Account, problem: Problem) -> Problem:
        """The problem without the account's secret, in case a server's words repeat it."""
        _, login = self._kept.get(account.id, (None, None))
        if login is None or login.secret is None:
            return problem
        hint = login.secret.scrub(problem.hint) if problem.hint else None
        return replace(problem, message=login.secret.scrub(problem.message), hint=hint)

    def forget(self) -> None:
        """Read every secret anew at its next use."""
        self._kept.clear()

    async def _read(self, account: Account, platform: Platform, kept: Login | None) -> Login:
        if not platform.needs_secret:
            return login_for(account, platform, self._settings, None)
        secret = await asyncio.to_thread(self._secrets.read, account.name)
        if secret is None:
            raise PlatformError(
                ErrorKind.AUTH,
                f"there is no secret for {account.name}",
                hint=f"Give it one: postsched account set {account.name} --token-stdin",
            )
        if kept and self._from_environment(account):
            secret = kept.secret  # renewed for this process, and saved nowhere
        return login_for(account, platform, self._settings, secret)

    async def _renewed(
        self,
        account: Account,
        platform: Platform,
        login: Login,
        http: httpx.AsyncClient,
        *,
        refused: bool,
    ) -> Login:
        if login.secret is None or not (refused or platform.stale(login, self._now())):
            return login
        if self._from_environment(account):
            return await self._refresh(account, platform, login, http, refused=refused)
        await self._take_lease(account)
        try:
            secret = await asyncio.to_thread(self._secrets.read, account.name)
            current = login_for(account, platform, self._settings, secret)
            # Another process may have renewed it while this one waited for the lease.
            changed = secret is None or _differs(secret, login.secret)
            return await self._refresh(
                account, platform, current, http, refused=refused and not changed
            )
        finally:
            await asyncio.to_thread(self._end_lease, account)

    async def _refresh(
        self,
        account: Account,
        platform: Platform,
        login: Login,
        http: httpx.AsyncClient,
        *,
        refused: bool,
    ) -> Login:
        renewal = await platform.refresh(login, http, self._now(), refused=refused)
        if renewal is None:
            return login
        if not self._from_environment(account):
            await asyncio.to_thread(self._secrets.write, account.name, renewal.secret)
        return login_for(account, platform, self._settings, renewal.secret)

    def _from_environment(self, account: Account) -> bool:
        return self._secrets.in_environment(account.name)

    async def _take_lease(self, account: Account) -> None:
        end = self._now() + LEASE
        while not await asyncio.to_thread(self._try_lease, account):
            if self._now() > end:
                raise SecretUnavailable(
                    f"another process has been renewing the login of {account.name} for too long"
                )
            await asyncio.sleep(0.05)

    def _try_lease(self, account: Account) -> bool:
        now = self._now()
        with self._database.write() as connection:
            return account_rows.take_lease(
                connection, f"login:{account.uid}", self._holder, now, now + LEASE
            )

    def _end_lease(self, account: Account) -> None:
        with self._database.write() as connection:
            account_rows.end_lease(connection, f"login:{account.uid}", self._holder)


def login_for(
    account: Account, platform: Platform, settings: Settings, secret: Secret | None
) -> Login:
    """The login of an account with that secret: its own URL, else the configured one, else the
    platform's."""
    url = account.url or settings.platform(account.platform).url or platform.url or ""
    return Login(
        account=account.name,
        url=url.rstrip("/"),
        secret=secret,
        user=account.user,
        settings=account.settings,
        facts=account.facts,
    )


def _differs(one: Secret, other: Secret | None) -> bool:
    return other is None or one.reveal() != other.reveal()
