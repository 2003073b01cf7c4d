"""How bodies may come: as they are, and in time. One that trickles in does not hold a request for
ever, and one that is packed is not unpacked: a small one could become any size."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FIRST = 20.0
"""Seconds that every body has."""
SLOWEST = 20_000
"""Bytes a second, beyond those seconds: a photo by a phone in the country."""
PACKED = "the body is packed: send it as it is"
Answer = Callable[[HTTPException], Response]


class Patience:
    """An application that gives a request up (408) whose body comes too slowly, and takes none
    with a Content-Encoding (415; RFC 9110, section 15.5.16)."""

    def __init__(
        self, app: ASGIApp, answer: Answer, first: float = FIRST, slowest: int = SLOWEST
    ) -> None:
        self._app, self._answer = app, answer
        self._first, self._slowest = first, slowest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif Headers(scope=scope).get("content-encoding", "identity").lower() != "identity":
            refusal = HTTPException(415, PACKED, {"Accept-Encoding": "identity"})
            await self._answer(refusal)(scope, receive, send)
        else:
            await self._app(scope, self._receiving(receive), send)

    def _receiving(self, receive: Receive) -> Receive:
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

        return receiving
