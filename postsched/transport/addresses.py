"""Requests that go to no internal address: names are looked up here, and what was looked at is
what is connected to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence

import httpx

from postsched.domain.reach import is_public

Origin = tuple[str, str, int | None]
"""Scheme, host and port of an address."""
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The IP addresses of a host, which may be one itself, for a port. Raises OSError."""


def origin(url: httpx.URL) -> Origin:
    """What of an address says which server it is."""
    return url.scheme, url.host, url.port


async def looked_up(host: str, port: int) -> Sequence[str]:
    """What the system says."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


async def pinned(
    request: httpx.Request, timeout: float, resolve: Resolve = looked_up
) -> httpx.Request:
    """The request, addressed to an IP address that was looked at: a name that answers otherwise
    the second time gains nothing. Raises httpx.ConnectError for an address that is not public."""
    host = request.url.host
    try:
        async with asyncio.timeout(timeout):
            address = await _public_address(host, request, resolve)
    except TimeoutError as error:
        raise httpx.ConnectTimeout(f"{host} can't be looked up", request=request) from error
    extensions = {**request.extensions, "sni_hostname": host}
    url = request.url.copy_with(host=address)
    return httpx.Request(
        request.method, url, headers=request.headers, stream=request.stream, extensions=extensions
    )


async def _public_address(host: str, request: httpx.Request, resolve: Resolve) -> str:
    try:
        addresses = await resolve(host, request.url.port or 443)
    except (OSError, UnicodeError) as error:
        raise httpx.ConnectError(f"{host} is not known: {error}", request=request) from error
    for address in addresses:
        if not is_public(address):
            what = "" if address == host else f" at {address}, which is"
            raise httpx.ConnectError(
                f"{host} is{what} not a public address (allow_private_addresses = true permits it)",
                request=request,
            )
    return addresses[0]
