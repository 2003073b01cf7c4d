"""Every way in which something is told, tried once and at once, without the outbox."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from postsched.domain.notice import Event, Message, Told, Way
from postsched.engine.clock import Clock
from postsched.engine.tellers import Tellers, request_seconds
from postsched.notify import targets
from postsched.transport import Transport

if TYPE_CHECKING:
    from postsched.config import Settings
    from postsched.secrets import Secrets

LONGEST = 120.0
"""Seconds for one way."""
ITEM = {"message": "This is a test", "account": None}


@dataclass(frozen=True, slots=True)
class Tried:
    """A way or target by its name, and why it did not take the test, None if it did."""

    way: str
    problem: str | None


async def try_all(
    settings: Settings, secrets: Secrets, environ: Mapping[str, str], clock: Clock
) -> list[Tried]:
    """Tell a test in every way that is set; each target on its own. `environ` is that of the
    programs that are started."""
    seconds = request_seconds(settings)
    transport = Transport(seconds, allow_private=settings.allow_private_addresses)
    tellers = Tellers(settings, secrets, environ, transport, clock.now)
    message = Message(f"msg_{uuid4().hex}", Event.TEST, clock.now(), "test", (ITEM,))
    try:
        found = await asyncio.gather(*_trials(tellers, message))
    finally:
        await transport.close()
    return [one for some in found for one in some]


@dataclass(frozen=True, slots=True)
class Called:
    """A test message at an address: under which id, what came of it, and in how many seconds."""

    uid: str
    told: Told
    seconds: float

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "webhook_id": self.uid,
            "state": "failed" if self.told.problem else "ok",
            "answer": self.told.answer,
            "said": self.told.said or None,
            "duration_ms": round(self.seconds * 1000, 1),
            "error": self.told.problem,
        }


async def try_address(settings: Settings, secrets: Secrets, clock: Clock, url: str) -> Called:
    """Post a test message to an address, signed, and see what it says."""
    seconds = request_seconds(settings)
    transport = Transport(seconds, allow_private=settings.allow_private_addresses)
    tellers = Tellers(settings, secrets, {}, transport, clock.now)
    message = Message(f"msg_{uuid4().hex}", Event.TEST, clock.now(), "test", (ITEM,))
    began = clock.monotonic()
    try:
        told = await tellers.post(message, url)
    finally:
        await transport.close()
    return Called(message.uid, told, clock.monotonic() - began)


def _trials(tellers: Tellers, message: Message) -> list[Awaitable[list[Tried]]]:
    trials: list[Awaitable[list[Tried]]] = [
        _try_way(tellers, way, message)
        for way in tellers.ways
        if way not in (Way.TARGETS, Way.CALLBACK)
    ]
    if tellers.settings.notify.targets:
        trials.append(_try_targets(tellers, message))
    if tellers.settings.notify.heartbeat_url:
        trials.append(_try_heartbeat(tellers))
    return trials


async def _try_way(tellers: Tellers, way: Way, message: Message) -> list[Tried]:
    try:
        async with asyncio.timeout(LONGEST):
            return [Tried(way.value, (await tellers.tell(way, message)).problem)]
    except TimeoutError:
        return [Tried(way.value, "it took too long")]


async def _try_targets(tellers: Tellers, message: Message) -> list[Tried]:
    given = tellers.settings.notify.targets
    problems = await targets.tell_each(given, message, tellers.environ)
    names = [targets.name_of(target, place) for place, target in enumerate(given, 1)]
    return [Tried(name, problem) for name, problem in zip(names, problems, strict=True)]


async def _try_heartbeat(tellers: Tellers) -> list[Tried]:
    return [Tried("heartbeat", await tellers.beat())]
