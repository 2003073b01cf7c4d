"""One connection to a server, HTTP/1.1 (RFC 9112), with one request on it at a time.

The answers are parsed by httptools, which is the parser of Node.js. What is raised here is httpx's;
whoever sends a request knows that it has a connection, so whatever breaks then leaves open whether
it was carried out.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import cast

import httptools
import httpx

PIECES = 256 * 1024
"""Bytes that come at once, at the most."""
SWITCHING = 101


@dataclass(slots=True)
class Answer:
    """What a server answered, its body as it came over the wire."""

    status: int = 0
    version: str = "1.1"
    reason: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


class Connection(asyncio.Protocol):
    """A connection; `largest` is how many bytes of an answer are taken at the most."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._loop = asyncio.get_running_loop()
        self._by = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._room: asyncio.Future[None] | None = None
        self._begin(None)
        self.is_open = False
        """Whether another request may be sent."""

    def _begin(self, waiting: asyncio.Future[Answer] | None, *, head: bool = False) -> None:
        self._answer, self._waiting, self._head_only = Answer(), waiting, head
        self._body: list[bytes] = []
        self._received = 0
        self._in_body = False

    async def exchange(
        self,
        head: bytes,
        body: bytes | AsyncIterator[bytes],
        timeout: float | None,
        *,
        head_only: bool,
        by: float = math.inf,
    ) -> Answer:
        """Send a request and take its answer. `timeout` is seconds for each piece of the body to
        leave; `head_only`: the answer has no body; `by` is when it has to be there, by the event
        loop's clock. Raises httpx.TransportError."""
        assert self._transport is not None
        waiting: asyncio.Future[Answer] = self._loop.create_future()
        self._begin(waiting, head=head_only)
        self._expect(by)
        try:
            if isinstance(body, bytes):
                self._transport.write(head + body)
            else:
                self._transport.write(head)
                await self._send(body, waiting, timeout)
            return await waiting
        finally:
            if not waiting.cancel() and not waiting.cancelled():
                waiting.exception()  # nobody waits for it any more, if the sending failed

    def _expect(self, by: float) -> None:
        """Fail then, if there is no answer. One timer serves many requests: most are answered long
        before, and to set and cancel one for each takes longer than to look what it is for."""
        self._by = by
        if self._timer is not None and self._timer.when() > by:
            self._timer.cancel()
            self._timer = None
        if self._timer is None and by < math.inf:
            self._timer = self._loop.call_at(by, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._waiting is None or self._waiting.done():
            return
        if self._by <= self._loop.time():
            self._fail(httpx.ReadTimeout("no complete answer in time"))
        else:
            self._expect(self._by)

    async def _send(
        self, body: AsyncIterator[bytes], waiting: asyncio.Future[Answer], timeout: float | None
    ) -> None:
        """Send the body; not the rest of it to a server that has answered already."""
        assert self._transport is not None
        async for piece in body:
            if waiting.done():
                self.is_open = False
                return
            self._transport.write(piece)
            if self._room is not None:
                try:
                    async with asyncio.timeout(timeout):
                        await asyncio.wait(
                            (self._room, waiting), return_when=asyncio.FIRST_COMPLETED
                        )
                except TimeoutError as error:
                    raise httpx.WriteTimeout("the server takes no more") from error

    def has_news(self, selector: selectors.BaseSelector) -> bool:
        """Whether something came of which the event loop does not know yet: most likely the end."""
        assert self._transport is not None
        with selector:
            selector.register(self._transport.get_extra_info("socket"), selectors.EVENT_READ)
            return bool(selector.select(0))

    def abort(self) -> None:
        """Drop it at once."""
        self._end()
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close it in order."""
        self._end()
        if self._transport is not None:
            self._transport.close()

    def _end(self) -> None:
        self.is_open = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # ---- called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        if self._waiting is None or self._waiting.done():
            self.abort()  # it talks unasked: nothing more is believed
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(httpx.RemoteProtocolError("the server wants another protocol"))
        except httptools.HttpParserError as error:
            self._fail(httpx.RemoteProtocolError(f"the answer is no HTTP: {error}"))
        if self._received > self._largest + PIECES and not self._waiting.done():
            self._fail(httpx.ReadError("the answer is too large"))

    def eof_received(self) -> None:
        """Nothing more comes."""
        self.connection_lost(None)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        if self._waiting is None or self._waiting.done():
            return
        if self._in_body and error is None and self._ends_with_the_connection():
            self._complete()
        elif error is not None:
            self._fail(httpx.ReadError(str(error) or type(error).__name__))
        else:
            self._fail(httpx.RemoteProtocolError("the server hung up without a whole answer"))

    def pause_writing(self) -> None:
        """The system takes no more for now."""
        self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        """It does again."""
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._room = None

    # ---- called by the parser

    def on_message_begin(self) -> None:
        """An answer begins; a second one nobody has asked for."""
        if self._waiting is None or self._waiting.done():
            self.is_open = False

    def on_status(self, reason: bytes) -> None:
        """The words behind the status, or a piece of them."""
        self._answer.reason += reason

    def on_header(self, name: bytes, value: bytes | None) -> None:
        """A header field; those after the body are of no interest."""
        if not self._in_body:
            self._answer.headers.append((name, value or b""))

    def on_headers_complete(self) -> None:
        """The body is next."""
        self._answer.status = self._parser.get_status_code()
        self._answer.version = self._parser.get_http_version()
        self._in_body = self._answer.status >= 200
        if self._head_only and self._in_body:
            self.is_open = False  # the parser waits for what does not come
            self._complete()

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        self._body.append(piece)

    def on_message_complete(self) -> None:
        """It is whole, unless it was only to say that the answer is on its way."""
        if self._answer.status < 200:
            if self._answer.status != SWITCHING:
                self._answer = Answer()
            return
        if not self._parser.should_keep_alive():
            self.is_open = False
        self._complete()

    def _complete(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            body = self._body
            self._answer.body = body[0] if len(body) == 1 else b"".join(body)
            self._waiting.set_result(self._answer)

    def _fail(self, error: httpx.TransportError) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)
        self.abort()

    def _ends_with_the_connection(self) -> bool:
        """Whether the length of the body is said by nothing else (RFC 9112 section 6.3)."""
        names = [name.lower() for name, _ in self._answer.headers]
        return b"content-length" not in names and b"transfer-encoding" not in names
