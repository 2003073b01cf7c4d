"""An account's login as the adapters get it: its secret, read, renewed when stale, and kept.

A renewal is made by one process at a time, under a lease in the database, and saved before it is
used. Secrets from the environment are renewed for this process only and saved nowhere.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from postsched.domain.account import Account
from postsched.domain.errors import SecretUnavailable, StoreUnavailable
from postsched.domain.outcome import ErrorKind, Problem
from postsched.domain.secret import Secret
from postsched.platforms.base import Login, Platform, PlatformError, Service
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
PATIENCE = 30.0
"""Seconds a keyring is waited for: it may be asking a person who is not there."""


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
        self._secrets = secrets
        self._settings = settings
        self._database = database
        self._now = now
        self._holder = holder
        self._patience = patience
        self._kept: dict[str, Kept] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._reading: dict[str, asyncio.Future[Secret | None]] = {}

    async def get(
        self,
        account: Account,
        platform: Platform,
        http: httpx.AsyncClient,
        *,
        refused: Login | None = None,
    ) -> Login:
        """The login of an account. `refused` is one that the network did not take; it is renewed,
        unless it was replaced since.

        Raises PlatformError(AUTH) where only a person can help, SecretUnavailable where the
        keyring can't be used, httpx errors where a renewal can't reach the network.
        """
        async with self._locks.setdefault(account.uid, asyncio.Lock()):
            kept = self._kept.get(account.uid)
            if kept and self._is_fresh(kept, account) and not _is_same(kept.login, refused):
                return kept.login
            login = await self._read(account, platform, kept.login if kept else None)
            login = await self._renewed(
                account, platform, login, http, refused=_is_same(login, refused)
            )
            self._kept[account.uid] = Kept(self._now(), account, login)
            return login

    def _is_fresh(self, kept: Kept, account: Account) -> bool:
        return kept.account == account and abs(self._now() - kept.read_at) <= FRESH

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
        login = await self.get(account, platform, http, refused=login)
        return await action(login)

    def scrub(self, account: Account, problem: Problem) -> Problem:
        """The problem without the account's secret, in case a server's words repeat it."""
        kept = self._kept.get(account.uid)
        secret = kept.login.secret if kept else None
        if secret is None:
            return problem
        hint = secret.scrub(problem.hint) if problem.hint else None
        return replace(problem, message=secret.scrub(problem.message), hint=hint)

    def forget(self) -> None:
        """Read every secret anew at its next use."""
        self._kept.clear()

    async def _read(self, account: Account, platform: Platform, kept: Login | None) -> Login:
        if not platform.needs_secret:
            return login_for(account, platform, self._settings, None)
        secret = await self._secret_of(account)
        if secret is None:
            raise PlatformError(
                ErrorKind.AUTH,
                f"there is no secret for {account.name}",
                hint=f"Give it one: postsched account set {account.name} --token-stdin",
            )
        if kept and self._from_environment(account):
            secret = kept.secret  # renewed for this process, and saved nowhere
        return login_for(account, platform, self._settings, secret)

    async def _secret_of(self, account: Account) -> Secret | None:
        """The account's secret. One thread for each account waits for its keyring at the most, or
        a keyring that hangs would use up all threads."""
        reading = self._reading.get(account.uid)
        if reading is None:
            reading = asyncio.ensure_future(asyncio.to_thread(self._secrets.read, account.name))
            self._reading[account.uid] = reading
        try:
            async with asyncio.timeout(self._patience):
                return await asyncio.shield(reading)
        except TimeoutError:
            raise SecretUnavailable(
                f"the keyring has not given the secret of {account.name} for {self._patience:g} s",
                "Unlock it; it may be asking for its password",
            ) from None
        finally:
            if reading.done():
                self._reading.pop(account.uid, None)

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
            secret = await self._secret_of(account)
            current = login_for(account, platform, self._settings, secret)
            # Another process may have renewed it while this one waited for the lease.
            return await self._refresh(
                account, platform, current, http, refused=refused and _is_same(current, login)
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
                    f"the login of {account.name} could not be renewed for {LEASE.seconds} s: "
                    "another process is at it, or the database can't be used"
                )
            await asyncio.sleep(0.05)

    def _try_lease(self, account: Account) -> bool:
        now = self._now()
        with contextlib.suppress(StoreUnavailable), self._database.write() as connection:
            return account_rows.take_lease(
                connection, f"login:{account.uid}", self._holder, now, now + LEASE
            )
        return False  # tried again, as if another process had it

    def _end_lease(self, account: Account) -> None:
        # What can't be given back runs out.
        with contextlib.suppress(StoreUnavailable), self._database.write() as connection:
            account_rows.end_lease(connection, f"login:{account.uid}", self._holder)


def login_for(
    account: Account, platform: Platform, settings: Settings, secret: Secret | None
) -> Login:
    """The login of an account with that secret: its own URL, else the configured one, else the
    platform's."""
    given = settings.platform(account.platform)
    url = account.url or given.url or platform.url or ""
    return Login(
        account=account.name,
        url=url.rstrip("/"),
        secret=secret,
        user=account.user,
        settings=account.settings,
        facts=account.facts,
        service=Service(
            authorize_url=given.authorize_url,
            token_url=given.token_url,
            client_id=given.client_id,
            api_version=given.api_version,
        ),
    )


def _is_same(login: Login, other: Login | None) -> bool:
    """Whether both have the same secret."""
    if other is None or login.secret is None or other.secret is None:
        return other is not None and login.secret is other.secret
    return login.secret.reveal() == other.secret.reveal()
