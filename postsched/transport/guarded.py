"""Answers read whole, within their bounds, from no internal address."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import httpx

from postsched.transport.addresses import Origin, Resolve, looked_up, origin, pinned
from postsched.transport.direct import Direct, Whole, direct
from postsched.transport.wire import Wire

if TYPE_CHECKING:
    import ssl

    from postsched.transport.connection import Answer

LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer, unpacked, that are read at the most."""
SLOWEST_UPLOAD = 32 * 1024
"""Bytes a second that an upload is given time for."""
LARGE_BODY = 256 * 1024
"""Bytes from which on a body leaves in pieces, and is told of."""
PIECE = 64 * 1024
Leaving = Callable[[int, int], None]
"""Is told how many bytes of a large body have left, and of how many: 0 when it begins."""
CONNECT_TIMEOUT = 10.0
"""Seconds for a connection, at the most."""
PACKED = {"gzip": 47, "x-gzip": 47, "deflate": 47}
"""Content codings that are unpacked, and the window that tells zlib to look for itself."""


DROPPED = frozenset({b"content-encoding", b"transfer-encoding", b"content-length"})
"""Headers of an answer that are no longer true of it."""


class Guarded(httpx.AsyncBaseTransport):
    """Reads each answer whole, within its bounds, and refuses internal addresses. `own` are the
    servers that may be internal, `tls` gives the context for TLS at the first need."""

    def __init__(
        self,
        own: frozenset[Origin],
        timeout: float,
        tls: Callable[[], ssl.SSLContext],
        *,
        allow_private: bool,
        largest: int = LARGEST_ANSWER,
        resolve: Resolve = looked_up,
    ) -> None:
        self._wire = Wire(largest, tls)
        self._own = own
        self._timeout, self._connect = timeout, connect_timeout(timeout)
        self._allow_private = allow_private
        self._largest = largest
        self._resolve = resolve
        self.leaving: Leaving | None = None

    def open(self, address: str) -> asyncio.Task[None] | None:
        """Begin to connect to one of the own servers before there is a request; the task raises
        httpx.TransportError. Raises httpx.InvalidURL."""
        request = direct("GET", address, (), {}, None)
        if request.place.origin not in self._own:
            return None
        return self._wire.open(request, self._connect)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises httpx.ReadTimeout when the whole takes too long, and
        httpx.ReadError when the answer is too large: either way it may have been carried out."""
        asked = request
        if isinstance(request, Direct):
            size, place = len(request.content), request.place.origin
        else:
            size, place = _body_size(request), origin(request.url)
        if not self._allow_private and place not in self._own:
            request = await pinned(request, self._connect, self._resolve)
        # A large film on a slow line takes its time besides.
        seconds = self._timeout + size / SLOWEST_UPLOAD
        try:
            if size < LARGE_BODY and _is_read(request):
                by = asyncio.get_running_loop().time() + seconds
                answer = await self._wire.send(request, self._connect, by)
            else:
                if size >= LARGE_BODY:
                    request = _in_pieces(request, size, self.leaving)
                async with asyncio.timeout(seconds):
                    answer = await self._wire.send(request, self._connect)
        except TimeoutError as error:
            raise httpx.ReadTimeout("no complete answer in time", request=asked) from error
        except httpx.TransportError as error:
            error.request = asked
            raise
        return self._response(asked, answer)

    def _response(self, request: httpx.Request, answer: Answer) -> httpx.Response:
        fields, codings = [], []
        for field in answer.headers:
            if (name := field[0].lower()) not in DROPPED:
                fields.append(field)
            elif name == b"content-encoding":
                codings.append(field[1])
        coding, body = b",".join(codings), answer.body
        try:
            if coding and body:
                body = _unpacker(coding.decode("latin-1"), request)(body, self._largest + 1)
        except zlib.error as error:
            raise httpx.DecodingError(f"the answer is damaged: {error}", request=request) from error
        if len(body) > self._largest:
            raise httpx.ReadError("the answer is too large", request=request)
        if body:
            fields.append((b"Content-Length", b"%d" % len(body)))
        return Whole(answer.status, fields, body, request, answer.version, answer.reason)

    async def aclose(self) -> None:
        """Close the connection."""
        self._wire.close()


class _Pieces(httpx.AsyncByteStream):
    """A body in pieces, so that the time for writing goes for each of them and not for the whole,
    and so that it can be told how much has left."""

    def __init__(self, body: httpx.AsyncByteStream, size: int, leaving: Leaving | None) -> None:
        self._body, self._size = body, size
        self._leaving = leaving or (lambda sent, size: None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        sent = 0
        self._leaving(sent, self._size)
        async for block in self._body:
            for start in range(0, len(block), PIECE):
                yield (piece := block[start : start + PIECE])
                sent += len(piece)
                self._leaving(sent, self._size)

    async def aclose(self) -> None:
        await self._body.aclose()


def _in_pieces(request: httpx.Request, size: int, leaving: Leaving | None) -> httpx.Request:
    """The request with its body in pieces."""
    assert isinstance(request.stream, httpx.AsyncByteStream)
    return httpx.Request(
        request.method,
        request.url,
        headers=request.headers,
        stream=_Pieces(request.stream, size, leaving),
        extensions=request.extensions,
    )


def _is_read(request: httpx.Request) -> bool:
    """Whether the body is there as a whole, so that nothing but the network is waited for."""
    return isinstance(request, Direct) or isinstance(request.stream, httpx.ByteStream)


def _body_size(request: httpx.Request) -> int:
    """Bytes of the body as far as they are known, else 0."""
    size = request.headers.get("content-length", "0")
    return int(size) if size.isdigit() else 0


def connect_timeout(timeout: float) -> float:
    """Seconds for the TCP connection, and again for TLS: less than the whole, so that a connection
    that is never made is told from an answer that never comes."""
    return min(CONNECT_TIMEOUT, timeout / 3)


def _unpacker(coding: str, request: httpx.Request) -> Callable[[bytes, int], bytes]:
    """What unpacks the pieces of an answer, each to so many bytes at the most. One coding only:
    what was packed twice could unpack to a million times its size."""
    name = coding.strip().lower()
    if name in ("", "identity"):
        return lambda piece, room: piece
    if name not in PACKED:
        raise httpx.DecodingError(f"the answer is packed as {coding[:100]!r}", request=request)
    return zlib.decompressobj(PACKED[name]).decompress
