"""The HTTP clients that adapters get: bounded in size and time, and kept off internal addresses.

A client for each call that is under way: httpx's pool slows down quadratically with the connections
it holds.
Redirects are not followed unless a request asks for it, and each hop is judged anew. TLS is
always verified.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import httpx

from postsched import __version__

if TYPE_CHECKING:
    import ssl

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
Origin = tuple[str, str, int | None]
"""Scheme, host and port of an address."""
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Transport:
    """Lends a client to each call that needs one, and closes them all in the end.

    `timeout` is seconds for one request with its whole answer, uploads not counted. Unless
    `allow_private`, an address that is not at one of the account's own servers must be public.
    """

    def __init__(self, timeout: float, *, allow_private: bool = False) -> None:
        self._timeout = timeout
        self._allow_private = allow_private
        self._free: defaultdict[str, list[tuple[httpx.AsyncClient, Guarded]]] = defaultdict(list)
        self._made: list[httpx.AsyncClient] = []

    @contextmanager
    def client(
        self, account: str, *servers: str, leaving: Leaving | None = None
    ) -> Iterator[httpx.AsyncClient]:
        """A client for an account whose servers have those addresses, for one call at a time: its
        connection stays open for the next. `leaving` is told of large bodies as they leave."""
        free = self._free[" ".join((account, *servers))]
        client, guarded = free.pop() if free else self._make(servers)
        guarded.leaving = leaving
        try:
            yield client
        finally:
            guarded.leaving = None
            free.append((client, guarded))

    async def close(self) -> None:
        """Close every connection."""
        for client in self._made:
            await client.aclose()
        self._made.clear()
        self._free.clear()

    def _make(self, servers: Iterable[str]) -> tuple[httpx.AsyncClient, Guarded]:
        own = frozenset(_origin(httpx.URL(server)) for server in servers if "://" in server)
        inner = httpx.AsyncHTTPTransport(
            verify=_tls(), limits=httpx.Limits(max_keepalive_connections=2, keepalive_expiry=60)
        )
        guarded = Guarded(inner, own, self._timeout, allow_private=self._allow_private)
        client = httpx.AsyncClient(
            transport=guarded,
            timeout=httpx.Timeout(self._timeout, connect=_connect_timeout(self._timeout)),
            headers={"User-Agent": f"postsched/{__version__}", "Accept-Encoding": "gzip, deflate"},
            follow_redirects=False,
        )
        self._made.append(client)
        return client, guarded


class Guarded(httpx.AsyncBaseTransport):
    """Reads each answer whole, within its bounds, and refuses internal addresses."""

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        own: frozenset[Origin],
        timeout: float,
        *,
        allow_private: bool,
        largest: int = LARGEST_ANSWER,
    ) -> None:
        self._inner = inner
        self._own = own
        self._timeout = timeout
        self._allow_private = allow_private
        self._largest = largest
        self.leaving: Leaving | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises httpx.ReadTimeout when the whole takes too long, and
        httpx.ReadError when the answer is too large: either way it may have been carried out."""
        if not self._allow_private and _origin(request.url) not in self._own:
            request = await _pinned(request, _connect_timeout(self._timeout))
        if _body_size(request) >= LARGE_BODY:
            request = _in_pieces(request, self.leaving)
        try:
            async with asyncio.timeout(self._timeout + _upload_time(request)):
                response = await self._inner.handle_async_request(request)
                return await self._read(request, response)
        except TimeoutError as error:
            raise httpx.ReadTimeout("no complete answer in time", request=request) from error

    async def _read(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        try:
            unpack = _unpacker(response.headers.get("content-encoding", ""), request)
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += unpack(chunk, self._largest + 1 - len(body))
                if len(body) > self._largest:
                    raise httpx.ReadError("the answer is too large", request=request)
        except zlib.error as error:
            raise httpx.DecodingError(f"the answer is damaged: {error}", request=request) from error
        finally:
            await response.aclose()
        headers = [
            (name, value)
            for name, value in response.headers.raw
            if name.lower() not in (b"content-encoding", b"transfer-encoding", b"content-length")
        ]
        return httpx.Response(
            response.status_code, headers=headers, content=bytes(body), request=request,
            extensions={"http_version": response.extensions.get("http_version", b"HTTP/1.1")},
        )  # fmt: skip

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


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


def _in_pieces(request: httpx.Request, leaving: Leaving | None) -> httpx.Request:
    """The request with its body in pieces. The wait for the answer begins when the last of them is
    with the system, which may keep megabytes: that takes its time on a slow line too."""
    assert isinstance(request.stream, httpx.AsyncByteStream)
    pieces = _Pieces(request.stream, _body_size(request), leaving)
    timeout = dict(request.extensions.get("timeout", {}))
    if timeout.get("read") is not None:
        timeout["read"] += _upload_time(request)
    extensions = {**request.extensions, "timeout": timeout}
    return httpx.Request(
        request.method, request.url, headers=request.headers, stream=pieces, extensions=extensions
    )


def _body_size(request: httpx.Request) -> int:
    """Bytes of the body as far as they are known, else 0."""
    size = request.headers.get("content-length", "0")
    return int(size) if size.isdigit() else 0


def _upload_time(request: httpx.Request) -> float:
    """Seconds that the body of a request may take besides: a large film on a slow line."""
    return _body_size(request) / SLOWEST_UPLOAD


def _connect_timeout(timeout: float) -> float:
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


async def _pinned(request: httpx.Request, timeout: float) -> httpx.Request:
    """The request, addressed to an IP address that was looked at: a name that answers otherwise
    the second time gains nothing. Raises httpx.ConnectError for an address that is not public."""
    host = request.url.host
    try:
        async with asyncio.timeout(timeout):
            address = await _public_address(host, request)
    except TimeoutError as error:
        raise httpx.ConnectTimeout(f"{host} can't be looked up", request=request) from error
    extensions = {**request.extensions, "sni_hostname": host}
    url = request.url.copy_with(host=address)
    return httpx.Request(
        request.method, url, headers=request.headers, stream=request.stream, extensions=extensions
    )


async def _public_address(host: str, request: httpx.Request) -> str:
    try:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, request.url.port or 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpx.ConnectError(f"{host} is not known: {error}", request=request) from error
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if not is_public(address):
            what = "" if address == host else f" at {address}, which is"
            raise httpx.ConnectError(
                f"{host} is{what} not a public address (allow_private_addresses = true permits it)",
                request=request,
            )
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return is_public(str(ip.ipv4_mapped))
        if inner := ip.sixtofour or _behind_nat64(ip):
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def _behind_nat64(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a gateway makes of it (RFC 6052)."""
    return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in NAT64 else None


def _origin(url: httpx.URL) -> Origin:
    return url.scheme, url.host, url.port


async def warm() -> None:
    """Load what the first connection needs, which takes a tenth of a second: TLS, name look-up,
    the event loop's sockets. Connects to a port of our own on which nobody listens."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        transport = Transport(1.0)
        with transport.client("", url) as client, contextlib.suppress(httpx.HTTPError):
            await client.get(url)
        await transport.close()


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()
