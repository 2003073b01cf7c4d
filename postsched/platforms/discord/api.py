"""Calls to Discord's API v10 for one login (fact sheet, section 1).

The webhook's address is its secret: no log, error or repr shows it. An answer is never assumed to
be JSON: proxies answer with pages of their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from postsched import __version__
from postsched.platforms.base import Login
from postsched.platforms.discord.access import Access, access
from postsched.platforms.discord.refusals import judge
from postsched.platforms.judging import unreadable

if TYPE_CHECKING:
    import httpx

USER_AGENT = f"DiscordBot (https://pypi.org/project/postsched, {__version__})"
"""In the form that Discord asks for; others may be blocked."""
Files = Mapping[str, tuple[str, bytes, str]]
"""Fields of files: name -> file name, bytes, MIME type."""


class Api:
    """Discord for one login. httpx's errors pass through."""

    def __init__(self, login: Login, http: httpx.AsyncClient) -> None:
        self.access: Access = access(login)
        self._account = login.account
        self._http = http

    async def webhook(self, method: str, path: str = "", **more: Any) -> httpx.Response:
        """One call to the webhook. Raises PlatformError for a refusal."""
        return await self._send(method, f"{self.access.webhook}{path}", **more)

    async def bot(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One call by the bot. Raises PlatformError for a refusal."""
        headers = {"Authorization": f"Bot {self.access.bot}"}
        return await self._send(method, f"{self.access.base}{path}", headers=headers, **more)

    async def _send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        from postsched.platforms import secret_address  # it loads httpx

        said = {"User-Agent": USER_AGENT, **(headers or {})}
        response = await secret_address.send(
            self._http, method, url, self.access.secrets, headers=said, **more
        )
        judge(response, self._account, self.access)
        return response


def body_of(payload: Mapping[str, Any], files: Files) -> dict[str, Any]:
    """A message as the body of a request: JSON, or a form where files go with it."""
    if not files:
        return {"json": dict(payload)}
    text = json.dumps(payload, ensure_ascii=False)
    return {"data": {"payload_json": text}, "files": dict(files)}


def json_of(response: httpx.Response) -> Any:
    """The JSON of a success; raises PlatformError(TRANSIENT) if it is none, and what was asked for
    may have been done all the same."""
    try:
        return response.json()
    except ValueError:
        raise unreadable(response, "Discord") from None
