"""Requests over a connection of their own, which is kept for the next one to the same server.

What fails before there is a connection is httpx.ConnectError or ConnectTimeout, and nothing was
sent; LocalProtocolError and UnsupportedProtocol are requests that can't be made. Whatever else is
raised leaves open whether the request was carried out. No request is ever sent twice.
"""

from __future__ import annotations

import asyncio
import math
import re
import selectors
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence

import httpx

from postsched.transport.connection import Answer, Connection
from postsched.transport.direct import Direct, Pair, Server

KEPT = 60.0
"""Seconds for which a connection is kept without a request."""
RESTED = 0.5
"""Seconds without a request after which it is made sure that the server has not hung up."""
EYEBALLS = 0.25
"""Seconds after which another address of the same name is tried as well (RFC 8305)."""
PORTS = {"http": 80, "https": 443}
ILLEGAL = re.compile(rb"[\x00\r\n]")
"""What would end a line of the head, or be cut off by someone (RFC 9110 section 5.5)."""


class Wire:
    """One connection at a time, to the server of the last request. `largest` is how many bytes of
    an answer are taken at the most; `tls` gives the context for TLS at the first need."""

    def __init__(self, largest: int, tls: Callable[[], ssl.SSLContext]) -> None:
        self._largest = largest
        self._tls = tls
        self._connection: Connection | None = None
        self._server: Server | None = None
        self._used_at = 0.0
        self._opening: asyncio.Task[None] | None = None

    async def send(self, request: httpx.Request, connect: float, by: float = math.inf) -> Answer:
        """Send a request and take its answer; `connect` is seconds for the TCP connection, and
        again for TLS, `by` when the answer has to be there, by the event loop's clock. Raises
        httpx.TransportError."""
        timeout: float | None = None
        body: bytes | AsyncIterator[bytes]
        if isinstance(request, Direct):
            head, body, server = _head_of(request), request.content, request.place.server
        else:
            head, body, server = _head(request), _body(request), _server(request)
            timeout = request.extensions.get("timeout", {}).get("write")
        if self._opening is not None:
            await asyncio.wait([self._opening])
            self._opening = None
        connection = self._connection
        if connection is None or server != self._server or not self._can_be_used(connection):
            connection = await self._connected(request, connect, server)
            if asyncio.get_running_loop().time() >= by:  # else it could only be an answer lost
                raise httpx.ConnectTimeout("no connection in time", request=request)
        try:
            answer = await connection.exchange(
                head, body, timeout, head_only=request.method == "HEAD", by=by
            )
        except BaseException:  # also where it is cancelled: half an exchange is of no use
            connection.abort()
            raise
        self._used_at = time.monotonic()
        if not connection.is_open:
            connection.close()
        return answer

    def open(self, request: Direct, connect: float) -> asyncio.Task[None]:
        """Begin to connect for such a request, which waits until that is done or can't be. The task
        raises httpx.TransportError."""
        work = self._open(request, connect, self._opening)
        self._opening = asyncio.get_running_loop().create_task(work)
        return self._opening

    async def _open(
        self, request: Direct, connect: float, before: asyncio.Task[None] | None
    ) -> None:
        if before is not None:
            await asyncio.wait([before])
        found, server = self._connection, request.place.server
        if found is None or server != self._server or not self._can_be_used(found):
            await self._connected(request, connect, server)

    def close(self) -> None:
        """Close the connection."""
        if self._opening is not None:
            self._opening.cancel()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _connected(
        self, request: httpx.Request, connect: float, server: Server
    ) -> Connection:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        made = await self._connect(request, connect)
        self._connection, self._server = made, server
        self._used_at = time.monotonic() - RESTED  # it may be opened long before it is used
        return made

    def _can_be_used(self, connection: Connection) -> bool:
        """Whether the server has not hung up, as far as can be known from here: what is sent on a
        connection that is closed may or may not have arrived."""
        rested = time.monotonic() - self._used_at
        if not connection.is_open or rested > KEPT:
            return False
        return rested < RESTED or not connection.has_news(selectors.DefaultSelector())

    async def _connect(self, request: httpx.Request, timeout: float) -> Connection:
        url = request.url
        if url.scheme not in PORTS:
            raise httpx.UnsupportedProtocol(f"{url.scheme or 'nothing'} is no protocol of the web")
        host = url.raw_host.decode("ascii")
        secure = url.scheme == "https"
        name = request.extensions.get("sni_hostname") or host
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(2 * timeout if secure else timeout):
                _, connection = await loop.create_connection(
                    lambda: Connection(self._largest),
                    host,
                    url.port or PORTS[url.scheme],
                    ssl=self._tls() if secure else None,
                    server_hostname=name if secure else None,
                    ssl_handshake_timeout=timeout if secure else None,
                    happy_eyeballs_delay=None if _is_literal(host) else EYEBALLS,
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout("no connection in time", request=request) from error
        except (OSError, UnicodeError) as error:
            words = str(error) or type(error).__name__
            raise httpx.ConnectError(words, request=request) from error
        return connection


def _is_literal(host: str) -> bool:
    """Whether it is an address itself, and no name that stands for several."""
    return ":" in host or host.replace(".", "").isdigit()


def _server(request: httpx.Request) -> Server:
    url = request.url
    return url.raw_scheme, url.raw_host, url.port, request.extensions.get("sni_hostname")


def _head_of(request: Direct) -> bytes:
    path, host = request.place.line
    fields = [*request.common, *request.given]
    if host:
        fields.insert(0, (b"Host", host))
    return _lines(request, path, fields)


def _head(request: httpx.Request) -> bytes:
    return _lines(request, request.url.raw_path, request.headers.raw)


def _lines(request: httpx.Request, path: bytes, fields: Sequence[Pair]) -> bytes:
    """The request line and the headers (RFC 9112 section 3)."""
    lines = [b"%b %b HTTP/1.1" % (request.method.encode("ascii"), path)]
    lines += [b"%b: %b" % field for field in fields]
    if any(map(ILLEGAL.search, lines)):
        raise httpx.LocalProtocolError("a header has a line break in it", request=request)
    return b"\r\n".join([*lines, b"", b""])


def _body(request: httpx.Request) -> bytes | AsyncIterator[bytes]:
    try:
        return request.content
    except httpx.RequestNotRead:
        assert isinstance(request.stream, httpx.AsyncByteStream)
    if "transfer-encoding" in request.headers:
        return _chunks(request.stream)
    return _measured(request, request.stream)


async def _chunks(body: httpx.AsyncByteStream) -> AsyncIterator[bytes]:
    """A body of a length that is not known (RFC 9112 section 7.1)."""
    async for piece in body:
        if piece:
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


async def _measured(request: httpx.Request, body: httpx.AsyncByteStream) -> AsyncIterator[bytes]:
    """A body that is as long as its header says: what is over would be another request."""
    left = int(request.headers.get("content-length", "0"))
    async for piece in body:
        left -= len(piece)
        if left < 0:
            break
        yield piece
    if left:
        raise httpx.LocalProtocolError("the body is not as long as was said", request=request)
