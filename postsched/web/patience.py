"""How long a body may take: one that trickles in does not hold a request for ever."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FIRST = 20.0
"""Seconds that every body has."""
SLOWEST = 20_000
"""Bytes a second, beyond those seconds: a photo by a phone in the country."""


class Patience:
    """An application that gives a request up (408) whose body comes too slowly."""

    def __init__(self, app: ASGIApp, first: float = FIRST, slowest: int = SLOWEST) -> None:
        self._app, self._first, self._slowest = app, first, slowest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        until, whole = loop.time() + self._first, False

        async def receiving() -> Message:
            nonlocal until, whole
            if whole:  # what comes now is that the client has gone
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(
                    408, "the body came too slowly", {"Connection": "close"}
                ) from None
            until += len(message.get("body", b"")) / self._slowest
            whole = message["type"] != "http.request" or not message.get("more_body")
            return message

        await self._app(scope, receiving, send)
