"""The secrets of accounts, read for one process: bounded in time, and one read at a time each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from postsched.domain.account import Account
from postsched.domain.errors import SecretUnavailable
from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.login.account import command, login_for
from postsched.login.apart import apart
from postsched.platforms.base import Login, Platform, PlatformError

if TYPE_CHECKING:
    from postsched.config import Settings
    from postsched.secrets import Secrets

PATIENCE = 30.0
"""Seconds a keyring is waited for: it may be asking a person who is not there."""


class Reader:
    """Reads and writes secrets in threads, and makes logins of them."""

    def __init__(self, secrets: Secrets, settings: Settings, patience: float) -> None:
        self._secrets = secrets
        self._settings = settings
        self._patience = patience
        self._reading: dict[str, asyncio.Future[Secret | None]] = {}

    def from_environment(self, account: Account) -> bool:
        """Whether its secret is in the environment, and therefore never written."""
        return self._secrets.in_environment(account.name)

    def login(self, account: Account, platform: Platform, secret: Secret | None) -> Login:
        """The account's login with that secret."""
        of_app = self._secrets.client_secret(account.platform) if platform.needs_secret else None
        return login_for(account, platform, self._settings, secret, of_app)

    async def read(self, account: Account, platform: Platform) -> Login:
        """The account's login as it is kept now. Raises PlatformError(AUTH) if there is no secret,
        SecretUnavailable if it can't be read."""
        secret = await self.secret(account)
        if secret is None:
            raise PlatformError(
                ErrorKind.AUTH,
                f"there is no secret for {account.name}",
                hint=f"Give it one: {command(account, platform)}",
            )
        return self.login(account, platform, secret)

    async def secret(self, account: Account) -> Secret | None:
        """The account's secret. One thread for each account waits for its keyring at the most, or
        a keyring that hangs would use them up. The environment is not waited for."""
        if self.from_environment(account):
            return self._secrets.read(account.name)
        reading = self._reading.get(account.uid)
        if reading is None:
            reading = apart(lambda: self._secrets.read(account.name), f"secret of {account.name}")
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

    async def write(self, account: Account, secret: Secret) -> None:
        """Save the account's secret. Raises SecretUnavailable."""
        await asyncio.to_thread(self._secrets.write, account.name, secret)
