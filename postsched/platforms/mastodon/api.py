"""Calls to a Mastodon server, and what its refusals mean (docs.joinmastodon.org/methods).

An answer is never assumed to be JSON: proxies in front of a server answer with pages of their own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from postsched.domain.outcome import ErrorKind, Limit, Published
from postsched.platforms.base import Login, PlatformError
from postsched.platforms.bearer import token_of
from postsched.platforms.judging import raise_for_answer, unreadable

if TYPE_CHECKING:
    import httpx

"""What may stand in an Authorization header (RFC 6750 section 2.1, and a little more)."""
SCOPES = "read:accounts read:statuses write:statuses write:media"
SCOPE_REFUSED = re.compile(r"scope|insufficient permission", re.I)
UNFINISHED = re.compile(r"not finished processing", re.I)
MEDIA_GONE = re.compile(r"(media|attachment)\b.*(not found|already attached|could not)", re.I)
LONGEST_WORDS = 300
"""Characters of a server's own words that are passed on."""


class Api:
    """The API of one server for one login. httpx's errors pass through."""

    def __init__(self, login: Login, http: httpx.AsyncClient) -> None:
        self._url = login.url
        self._http = http
        # Refusals are told apart by their words too, and Mastodon translates them.
        self._headers = {"Authorization": f"Bearer {token_of(login)}", "Accept-Language": "en"}

    async def call(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """One request; the answer as it is, whatever its status."""
        return await self._http.request(
            method, self._url + path, headers={**self._headers, **(headers or {})}, **more
        )

    async def get(self, path: str, **params: str) -> Any:
        """The JSON at a path. Raises PlatformError for a refusal or what is no JSON."""
        response = await self.call("GET", path, params=params)
        judge(response)
        return json_of(response)


def judge(response: httpx.Response) -> None:
    """Raise what an answer means, if it is no success. 404, 400 and 422 are refusals for good,
    but for media that the server has not finished processing."""
    if response.is_success:
        return
    status, words = response.status_code, words_of(response)
    if status == 401 or (status == 403 and SCOPE_REFUSED.search(words)):
        raise PlatformError(
            ErrorKind.AUTH,
            words,
            http_status=status,
            hint=f"Make a new access token with the scopes {SCOPES}",
        )
    if status == 422 and UNFINISHED.search(words):
        raise PlatformError(ErrorKind.TRANSIENT, words, http_status=status)
    if status == 409:  # Pleroma: "identical request still being processed"
        raise PlatformError(ErrorKind.TRANSIENT, words, http_status=status, sent=True)
    if status in (400, 404, 413, 422):
        raise PlatformError(
            ErrorKind.INVALID, words, http_status=status, hint=_hint(response, words)
        )
    raise_for_answer(response, words)


def json_of(response: httpx.Response) -> Any:
    """The JSON of a successful answer; raises PlatformError(TRANSIENT) if it is none, and what
    was asked for may have been done all the same."""
    try:
        return response.json()
    except ValueError as error:
        raise unreadable(response, "the server") from error


def published(status: Any, limits: tuple[Limit, ...] = ()) -> Published:
    """A status of the API as a part that is out, with the limits that came with it. Raises
    PlatformError(TRANSIENT) if it is none, and something may be out all the same."""
    remote_id = status.get("id") if isinstance(status, dict) else None
    if not isinstance(remote_id, str | int) or remote_id == "":
        raise PlatformError(
            ErrorKind.TRANSIENT, "the server's answer does not say what was posted", sent=True
        )
    link = status.get("url") or status.get("uri")
    return Published(str(remote_id), link if isinstance(link, str) else None, limits=limits)


def is_json(response: httpx.Response) -> bool:
    """Whether an answer says that it is JSON: then it is the server's own."""
    return "json" in response.headers.get("content-type", "")


def words_of(response: httpx.Response) -> str:
    """What the server says of its refusal, in one line."""
    try:
        body = response.json()
    except ValueError:
        body = None
    words = body.get("error_description") or body.get("error") if isinstance(body, dict) else None
    if not isinstance(words, str) or not words.strip():
        words = f"HTTP {response.status_code} {response.reason_phrase}"
    line = " ".join(words.split())
    return line if len(line) <= LONGEST_WORDS else line[:LONGEST_WORDS] + "…"


def _hint(response: httpx.Response, words: str) -> str | None:
    if response.status_code == 413:
        return "The file is larger than the server or its proxy takes"
    if MEDIA_GONE.search(words):
        return "The server dropped the uploaded file, as they do after some hours: upload it again"
    if response.status_code == 404 and not is_json(response):
        return "There is no Mastodon API at this address: check the account's URL"
    return None
