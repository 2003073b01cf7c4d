"""Scenes between an adapter and its loopback server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from postsched.domain.outcome import Published, Sent
from postsched.platforms.base import Login, Platform
from postsched.testing.client import PATIENCE, client
from postsched.testing.sender import Sender

T = TypeVar("T")


class Player:
    """Runs scenes with a sender of one platform, which has read the account's facts unless
    `inspect` says otherwise."""

    def __init__(self, platform: type[Platform], *, inspect: bool = True) -> None:
        self._platform, self._inspect = platform, inspect

    def __call__(
        self,
        login: Login,
        scene: Callable[[Sender], Awaitable[T]],
        *,
        inspect: bool | None = None,
    ) -> T:
        """Run a scene; what it returns."""

        async def whole() -> T:
            async with client(PATIENCE) as http:
                sender = Sender(self._platform, login, http)
                if self._inspect if inspect is None else inspect:
                    await sender.inspect()
                return await scene(sender)

        return asyncio.run(whole())


def out(sent: Sent) -> Published:
    """The post; fails if it is not out."""
    assert isinstance(sent, Published), sent
    return sent
