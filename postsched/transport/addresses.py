"""Which addresses are internal, and requests that go to none of them."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import httpx

Origin = tuple[str, str, int | None]
"""Scheme, host and port of an address."""
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def origin(url: httpx.URL) -> Origin:
    """What of an address says which server it is."""
    return url.scheme, url.host, url.port


async def pinned(request: httpx.Request, timeout: float) -> httpx.Request:
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
