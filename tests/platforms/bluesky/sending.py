"""What Bluesky's tests share: a client, and posts sent step by step, errors raised."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx

from postsched.domain.delivery import Role
from postsched.domain.outcome import Published
from postsched.platforms.base import Login, Message, Prepared, Unknown
from postsched.platforms.bluesky import Bluesky
from postsched.testing.sender import key_of, through_json

NINE = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
T = TypeVar("T")


def step(text: str, key: str = "first", role: Role = Role.PART, n: int = 1, **more: Any) -> Message:
    """One step, due at nine and prepared a bit before."""
    return Message(role, n, text, key_of(key), NINE, NINE.replace(hour=8, minute=55), **more)


def play(scene: Callable[[httpx.AsyncClient], Awaitable[T]], timeout: float = 30.0) -> T:
    """Run a scene with a client."""

    async def whole() -> T:
        async with httpx.AsyncClient(trust_env=False, timeout=timeout) as http:
            return await scene(http)

    return asyncio.run(whole())


class Poster:
    """Bluesky with one login, each step by itself; every error is raised."""

    def __init__(self, login: Login) -> None:
        self.login = login

    def sign_in(self, now: datetime | None = None, *, refused: bool = False) -> bool:
        """Renew the session if it is stale, read the facts; whether it was renewed."""

        async def scene(http: httpx.AsyncClient) -> bool:
            at = now or datetime.now(UTC)
            renewal = await Bluesky().refresh(self.login, http, at, refused=refused)
            if renewal:
                self.login = replace(self.login, secret=renewal.secret)
            facts = await Bluesky().inspect(self.login, http)
            self.login = replace(self.login, facts=through_json(facts))
            return renewal is not None

        return play(scene)

    def prepare(
        self, message: Message, root: Published | None = None, parent: Published | None = None
    ) -> Prepared:
        """What the step comes to before it is sent."""

        async def scene(http: httpx.AsyncClient) -> Prepared:
            made = await Bluesky().prepare(message, self.login, http)
            return Prepared(through_json(made), message.role, message.n, root, parent)

        return play(scene)

    def publish(self, prepared: Prepared) -> Published:
        """Send what was prepared."""
        return play(lambda http: Bluesky().publish(prepared, "", self.login, http))

    def send(
        self, message: Message, root: Published | None = None, parent: Published | None = None
    ) -> Published:
        """Prepare and send."""
        return self.publish(self.prepare(message, root, parent))

    def find(self, prepared: Prepared) -> Published | Unknown | None:
        """Ask for it."""
        return play(lambda http: Bluesky().find(prepared, "", self.login, http, NINE))

    def delete(self, published: Published) -> None:
        """Remove it."""
        play(lambda http: Bluesky().delete(published, self.login, http))
