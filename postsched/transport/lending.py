"""Clients lent to those who call a network, one for each call that is under way."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import httpx

from postsched import __version__
from postsched.transport.addresses import Resolve, looked_up, origin
from postsched.transport.client import Client
from postsched.transport.guarded import Guarded, Leaving, connect_timeout

if TYPE_CHECKING:
    import ssl


class Transport:
    """Lends a client to each call that needs one, and closes them all in the end.

    `timeout` is seconds for one request with its whole answer, uploads not counted. Unless
    `allow_private`, an address that is not at one of the account's own servers must be public;
    `resolve` looks up what it then stands for.
    """

    def __init__(
        self, timeout: float, *, allow_private: bool = False, resolve: Resolve = looked_up
    ) -> None:
        self._timeout = timeout
        self._allow_private = allow_private
        self._resolve = resolve
        self._free: defaultdict[tuple[str, ...], list[tuple[Client, Guarded]]] = defaultdict(list)
        self._made: list[Client] = []

    @contextmanager
    def client(
        self, account: str, *servers: str, leaving: Leaving | None = None
    ) -> Iterator[httpx.AsyncClient]:
        """A client for an account whose servers have those addresses, for one call at a time: its
        connection stays open for the next. `leaving` is told of large bodies as they leave."""
        free = self._free[account, *servers]
        client, guarded = free.pop() if free else self._make(servers)
        guarded.leaving = leaving
        try:
            yield client
        finally:
            guarded.leaving = None
            free.append((client, guarded))

    async def open(self, account: str, *servers: str, count: int) -> None:
        """Have so many connections to the first of the servers, for calls that come soon. That it
        can't be reached is for those to find."""
        free = self._free[account, *servers]
        lent = [free.pop() if free else self._make(servers) for _ in range(count)]
        free += reversed(lent)  # at once, and first what is opened first: a call waits for its own
        opening = [guarded.open(servers[0]) for _, guarded in lent]
        await asyncio.gather(*filter(None, opening), return_exceptions=True)

    async def close(self) -> None:
        """Close every connection."""
        for client in self._made:
            await client.aclose()
        self._made.clear()
        self._free.clear()

    def _make(self, servers: Iterable[str]) -> tuple[Client, Guarded]:
        own = frozenset(origin(httpx.URL(server)) for server in servers if "://" in server)
        guarded = Guarded(
            own, self._timeout, tls, allow_private=self._allow_private, resolve=self._resolve
        )
        client = Client(
            guarded,
            timeout=httpx.Timeout(self._timeout, connect=connect_timeout(self._timeout)),
            headers={"User-Agent": f"postsched/{__version__}", "Accept-Encoding": "gzip, deflate"},
            follow_redirects=False,
        )
        self._made.append(client)
        return client, guarded


async def warm() -> None:
    """Load what the first connection needs, which takes a tenth of a second: TLS, name look-up,
    the event loop's sockets. Connects to a port of our own on which nobody listens."""
    tls()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        transport = Transport(1.0)
        with transport.client("", url) as client, contextlib.suppress(httpx.HTTPError):
            await client.get(url)
        await transport.close()


@cache
def tls() -> ssl.SSLContext:
    """What TLS is made with: certificates are verified."""
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
