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
ONCE = ("host", "authorization", "content-type", "idempotency-key", "if-match")
"""Headers that are there once or not at all: by which of two would one go?"""
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
        for name in ONCE:
            if len(headers.getlist(name)) > 1:
                return 400, f"there is more than one {name}"
        if self._names is not None and _name(host) not in self._names:
            return 421, f"this is not {host[:200]!r}: ask for localhost"
        if scope["method"] in SAFE or headers.get("authorization", "")[:7].lower() == "bearer ":
            return None  # a page can't have a browser show a token without having asked first
        origin = headers.get("origin")
        if origin in self._origins:
            return None
        site = headers.get("sec-fetch-site")
        if origin is not None and not _is_own(origin, scope["scheme"], host, site):
            return 403, f"requests of pages at {origin[:200]!r} are not taken"
        if site not in (None, "none", "same-origin"):
            return 403, "requests of pages of other sites are not taken"
        return None


def _is_own(origin: str, scheme: str, host: str, site: str | None) -> bool:
    """Whether an origin is ours. A proxy before us may speak https where we do not: then it is by
    what the browser says itself."""
    own = {f"{scheme}://{host}"} | ({f"https://{host}"} if site == "same-origin" else set())
    return origin in own


def _name(host: str) -> str:
    """A host without its port and brackets."""
    name = host.rpartition(":")[0] if ":" in host.rpartition("]")[2] else host
    return name.strip("[]").lower()
