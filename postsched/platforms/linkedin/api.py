"""Calls to LinkedIn's versioned API (fact sheet, section 1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from postsched.platforms.base import Login
from postsched.platforms.bearer import token_of

if TYPE_CHECKING:
    import httpx

VERSION = "202609"
"""The version of the API that is spoken; each lives for at least a year. Another one can be set
as `api_version` under [platforms.linkedin]."""
"""What may stand in an Authorization header (RFC 6750 section 2.1, and a little more)."""


class Api:
    """LinkedIn for one login. httpx's errors pass through; answers are returned as they are. `now`
    (UTC) is for judging them."""

    def __init__(self, login: Login, http: httpx.AsyncClient, now: datetime | None = None) -> None:
        self.base = login.url
        self.now = now
        self.http = http
        self.authorization = {"Authorization": f"Bearer {token_of(login)}"}
        self._versioned = {
            **self.authorization,
            "LinkedIn-Version": login.service.api_version or VERSION,
            "X-Restli-Protocol-Version": "2.0.0",
            "Content-Type": "application/json",
        }

    async def who(self) -> httpx.Response:
        """Ask whose token it is (OpenID Connect; it knows no version)."""
        return await self.http.get(f"{self.base}/v2/userinfo", headers=self.authorization)

    async def get(self, path: str, method: str | None = None) -> httpx.Response:
        """Read something under /rest. `method` is the Rest.li method, where it must be said; the
        path is percent-encoded already."""
        return await self._call("GET", path, method)

    async def post(self, path: str, body: str | Mapping[str, Any]) -> httpx.Response:
        """Create something; a body that is text is sent byte by byte."""
        text = body if isinstance(body, str) else plain(body)
        return await self._call("POST", path, content=text.encode())

    async def delete(self, path: str) -> httpx.Response:
        """Delete something."""
        return await self._call("DELETE", path, "DELETE")

    async def _call(
        self, verb: str, path: str, method: str | None = None, content: bytes | None = None
    ) -> httpx.Response:
        headers = {**self._versioned, **({"X-RestLi-Method": method} if method else {})}
        return await self.http.request(
            verb, f"{self.base}/rest/{path}", headers=headers, content=content
        )


def plain(document: Mapping[str, Any]) -> str:
    """A document as JSON, the same at every time."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
