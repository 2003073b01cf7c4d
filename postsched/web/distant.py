"""The process that sends posts, as the one that serves HTTP asks it: how things are measured,
whether it is ready, and whatever needs a secret, since there is none in this process."""

from __future__ import annotations

import asyncio
from typing import Any

from postsched.web.channel import Channel, Gone, gone

PATIENCE = 60.0
"""Seconds for an answer; a receiver of callbacks that is tried has its own, which are fewer."""
SOON = 10.0
"""Seconds for a word on how it goes, beyond those that the other process takes to find out."""


class Distant:
    """Asked from any thread and event loop; `channel` belongs to the loop that runs here. All but
    `ready` raise Gone where the other process has ended or hangs."""

    def __init__(self, channel: Channel) -> None:
        self._channel, self._loop = channel, asyncio.get_running_loop()

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """Metrics as Metrics.exposition gives them; blocks."""
        body, kind = self._wait("metrics", accept=accept)
        return body.encode(), kind

    async def ready(self) -> str | None:
        """Why nothing is claimed; see Readiness."""
        try:
            reason: str | None = await self._ask("ready", SOON)
        except Gone as error:
            return error.message
        return reason

    async def try_hook(self, url: str) -> dict[str, Any]:
        """What became of a test message, as JSON."""
        document: dict[str, Any] = await self._ask("try_hook", url=url)
        return document

    def host_fault(self) -> str | None:
        """Why files can't be put at the media host; blocks."""
        fault: str | None = self._wait("host_fault")
        return fault

    def callback_fault(self) -> str | None:
        """Why callbacks can't be signed; blocks."""
        fault: str | None = self._wait("callback_fault")
        return fault

    async def _ask(self, what: str, patience: float = PATIENCE, **given: Any) -> Any:
        asked = asyncio.run_coroutine_threadsafe(self._channel.ask(what, **given), self._loop)
        try:
            async with asyncio.timeout(patience):
                return await asyncio.wrap_future(asked)
        except TimeoutError:
            raise gone() from None

    def _wait(self, what: str, **given: Any) -> Any:
        asked = asyncio.run_coroutine_threadsafe(self._channel.ask(what, **given), self._loop)
        try:
            return asked.result(PATIENCE)
        except TimeoutError:
            asked.cancel()
            raise gone() from None
