"""httpx's client without what no adapter uses: for a plain request, that takes longer than all that
is done on the network.

No cookies are kept and none sent, no redirect is followed unless it is asked for, and nothing is
logged.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import httpx
from httpx import USE_CLIENT_DEFAULT

PLAIN = frozenset({"json", "data", "content", "files", "headers"})
"""What a plain request is made of."""
parsed = lru_cache(maxsize=256)(httpx.URL)
"""An address read; most are asked for again and again."""


class Client(httpx.AsyncClient):
    """A client over a transport that reads answers whole."""

    def __init__(self, transport: httpx.AsyncBaseTransport, **options: Any) -> None:
        super().__init__(transport=transport, **options)
        self._direct = transport

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
            parsed(url) if isinstance(url, str) else url,
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
