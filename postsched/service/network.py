"""Calls to a network from a command: one account, one adapter, one answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from postsched import platforms
from postsched.domain.account import Account
from postsched.domain.errors import PostschedError
from postsched.login import Logins, login_for, servers
from postsched.platforms.base import Login, Platform, PlatformError
from postsched.platforms.judging import problem_of
from postsched.transport import Transport
from postsched.wakeup import new_mark

if TYPE_CHECKING:
    import httpx

    from postsched.secrets import Secrets
    from postsched.service.desk import Desk

T = TypeVar("T")
Call = Callable[[Platform, Login, "httpx.AsyncClient"], Awaitable[T]]


def call(desk: Desk, secrets: Secrets, account: Account, action: Call[T]) -> T:
    """Do one thing with an account's network, with a login that is renewed where need be.

    Raises PlatformError where the network refuses or can't be reached, its words without the
    secret; SecretUnavailable where the keyring can't be used.
    """
    return asyncio.run(_call(desk, secrets, account, action))


def talk(
    desk: Desk, account: str, url: str, action: Callable[[httpx.AsyncClient], Awaitable[T]]
) -> T:
    """Do one thing at the server at `url` for an account that has no login yet. Raises as `call`,
    and what the action raises."""

    async def run() -> T:
        transport = _transport(desk)
        try:
            with transport.client(account, url) as http:
                return await action(http)
        finally:
            await transport.close()

    return asyncio.run(run())


def _transport(desk: Desk) -> Transport:
    settings = desk.settings
    return Transport(settings.request_timeout, allow_private=settings.allow_private_addresses)


async def _call(desk: Desk, secrets: Secrets, account: Account, action: Call[T]) -> T:
    platform = platforms.get(account.platform)
    settings = desk.settings
    transport = _transport(desk)
    own = servers(login_for(account, platform, settings, None))
    logins = Logins(secrets, settings, desk.database, desk.now, new_mark())
    try:
        with transport.client(account.name, *own) as http:
            return await logins.use(
                account, platform, http, lambda login: action(platform, login, http)
            )
    except PostschedError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever stands between us and the network
        problem = logins.scrub(account, problem_of(error))
        raise PlatformError(
            problem.kind, problem.message, http_status=problem.http_status, hint=problem.hint
        ) from None
    finally:
        await logins.finish()
        await transport.close()
