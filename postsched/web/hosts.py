"""From where browsers may ask: only pages of this very address.

A page of somebody else could have its own name lead to this machine (DNS rebinding), so on loopback
only names of loopback are answered to. And it could have the browser send a request as the person
who sits there: where nobody has to say who they are by a header of their own, what changes anything
is taken from no other origin (`Origin`, RFC 6454; `Sec-Fetch-Site`, W3C Fetch Metadata).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
Answer = Callable[[HTTPException], Response]


def is_loopback(host: str) -> bool:
    """Whether an address to listen at can be reached from this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class OwnHosts:
    """An application that answers to the names of its own address only. `host` is where it
    listens; `origins` are those of pages that may ask it nevertheless."""

    def __init__(self, app: ASGIApp, host: str, origins: Collection[str], answer: Answer) -> None:
        self._app, self._answer = app, answer
        self._names = NAMES | {host} if is_loopback(host) else None
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, if it comes from where it may."""
        if scope["type"] == "http" and (why := self._refusal(scope)):
            await self._answer(HTTPException(*why))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._names is not None and _name(host) not in self._names:
            return 421, f"this is not {host[:200]!r}: ask for localhost"
        if scope["method"] in SAFE or "authorization" in headers:
            return None
        origin = headers.get("origin")
        if origin in self._origins:
            return None
        if origin is not None and origin != f"{scope['scheme']}://{host}":
            return 403, f"requests of pages at {origin[:200]!r} are not taken"
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return 403, "requests of pages of other sites are not taken"
        return None


def _name(host: str) -> str:
    """A host without its port and brackets."""
    name = host.rpartition(":")[0] if ":" in host.rpartition("]")[2] else host
    return name.strip("[]").lower()
