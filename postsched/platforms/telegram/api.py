"""Calls to the Bot API, for one login (fact sheet, sections 1 and 2).

The token is in each address: no log, error or repr shows it. An answer is never assumed to be JSON:
proxies answer with pages of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import Login, PlatformError
from postsched.platforms.telegram.refusals import parameter, refusal

if TYPE_CHECKING:
    import httpx

TOKEN = re.compile(r"[A-Za-z0-9_:-]+")
"""What a token is made of: the bot's number, a colon, letters and digits. Nothing that could change
the address it stands in."""
Files = Mapping[str, tuple[str, bytes, str]]
"""Fields of files: name -> file name, bytes, MIME type."""


class Api:
    """The Bot API for one login. httpx's errors pass through."""

    def __init__(self, login: Login, http: httpx.AsyncClient) -> None:
        self._account = login.account
        self._url = login.url
        self._http = http
        self._token = _token(login)

    async def call(
        self, method: str, fields: Mapping[str, Any] | None = None, files: Files | None = None
    ) -> Any:
        """Call a method; its result. Raises PlatformError for a refusal, or for an answer that
        can't be read: then it may have been done.

        A group that became a supergroup has another id, which Telegram names; nothing was done
        then, and the call is made there.
        """
        response = await self._request(method, fields or {}, files)
        moved = parameter(_document(response), "migrate_to_chat_id")
        chat = "from_chat_id" if fields and "from_chat_id" in fields else "chat_id"
        if moved is not None and not response.is_success and fields and chat in fields:
            response = await self._request(method, {**fields, chat: moved}, files)
        return self._result(response)

    async def _request(
        self, method: str, fields: Mapping[str, Any], files: Files | None
    ) -> httpx.Response:
        from postsched.platforms import secret_address  # it loads httpx

        body: dict[str, Any] = {"json": dict(fields)}
        if files:
            body = {"data": {k: _as_text(v) for k, v in fields.items()}, "files": dict(files)}
        address = f"{self._url}/bot{self._token}/{method}"
        return await secret_address.send(self._http, "POST", address, [self._token], **body)

    def _result(self, response: httpx.Response) -> Any:
        document = _document(response)
        if response.is_success and document.get("ok") is True:
            return document.get("result")
        raise refusal(response, document, self._account, self._token)


def chat_of(login: Login) -> int | str:
    """The chat to post to: @name, or its number."""
    chat = (login.user or "").strip()
    if not chat:
        raise PlatformError(
            ErrorKind.INVALID,
            f"the account {login.account} does not say to which chat it posts",
            hint=f"postsched account set {login.account} user=@NAME",
        )
    return int(chat) if re.fullmatch(r"-?[0-9]{1,18}", chat) else chat


def _document(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer, empty where there is none."""
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _as_text(value: Any) -> str:
    """A field as a form has it: objects as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _token(login: Login) -> str:
    token = login.secret.text if login.secret else ""
    if not TOKEN.fullmatch(token):
        raise PlatformError(
            ErrorKind.AUTH,
            "the secret is no bot token" if token else "the account has no bot token",
            hint=f"Take it from @BotFather: postsched account set {login.account} --token-stdin",
        )
    return token
