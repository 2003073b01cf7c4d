"""httpx's client without what no adapter uses: for a plain request, that takes longer than all that
is done on the network.

No cookies are kept and none sent, no redirect is followed unless it is asked for, and nothing is
logged.
"""

from __future__ import annotations

from typing import Any

import httpx
from httpx import USE_CLIENT_DEFAULT

from postsched.transport.direct import BODILESS, OWN, Direct, direct, place

QUICK = frozenset({"json", "headers"})
"""What most requests are made of."""
PLAIN = frozenset({"json", "data", "content", "files", "headers"})
"""What a plain request is made of."""


class Client(httpx.AsyncClient):
    """A client over a transport that reads answers whole."""

    def __init__(self, transport: httpx.AsyncBaseTransport, **options: Any) -> None:
        super().__init__(transport=transport, **options)
        self._direct = transport
        self._common = self.headers.raw
        self._taken = OWN | self.headers.keys()

    async def request(self, method: str, url: httpx.URL | str, **parts: Any) -> httpx.Response:
        """Make a request and send it."""
        quick = self._quick(method, url, parts)
        if quick is None:
            return await super().request(method, url, **parts)
        if self.is_closed:
            raise RuntimeError("the client is closed")
        return await self._direct.handle_async_request(quick)

    def _quick(self, method: str, url: object, parts: dict[str, Any]) -> Direct | None:
        """A request with JSON, or with no body, if nothing else is wished."""
        if not isinstance(url, str) or not QUICK.issuperset(parts):
            return None
        headers, document = parts.get("headers") or {}, parts.get("json")
        if document is None and method.upper() not in BODILESS:
            return None
        if type(headers) is not dict or any(name.lower() in self._taken for name in headers):
            return None
        return direct(method, url, self._common, headers, document)

    def build_request(self, method: str, url: httpx.URL | str, **parts: Any) -> httpx.Request:
        """A request with the headers and the timeout of this client."""
        given = {name: part for name, part in parts.items() if part is not None}
        if given.pop("timeout", USE_CLIENT_DEFAULT) is not USE_CLIENT_DEFAULT:
            return super().build_request(method, url, **parts)
        if not PLAIN.issuperset(given):
            return super().build_request(method, url, **parts)
        headers = self.headers.copy()
        headers.update(given.pop("headers", None))
        return httpx.Request(
            method,
            place(url).url if isinstance(url, str) else url,
            headers=headers,
            extensions={"timeout": self.timeout.as_dict()},
            **given,
        )

    async def send(
        self,
        request: httpx.Request,
        *,
        stream: bool = False,
        auth: Any = USE_CLIENT_DEFAULT,
        follow_redirects: Any = USE_CLIENT_DEFAULT,
    ) -> httpx.Response:
        """Send a request: at once, where nothing is to be done before or after."""
        if stream or follow_redirects is True or auth is not USE_CLIENT_DEFAULT:
            return await super().send(
                request, stream=stream, auth=auth, follow_redirects=follow_redirects
            )
        if self.is_closed:
            raise RuntimeError("the client is closed")
        return await self._direct.handle_async_request(request)
