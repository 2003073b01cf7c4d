"""Calls to the API of X, version 2 (fact sheet, section 1).

An answer is never assumed to be JSON: proxies answer with pages of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from postsched.domain.delivery import Role
from postsched.domain.outcome import ErrorKind, Published
from postsched.platforms.base import Login, PlatformError, Prepared
from postsched.platforms.judging import unreadable
from postsched.platforms.x.credentials import Method, credentials
from postsched.platforms.x.refusals import judge

if TYPE_CHECKING:
    import httpx

ID = re.compile("[0-9]{1,19}")


class Api:
    """The API for one login. httpx's errors pass through."""

    def __init__(self, login: Login, http: httpx.AsyncClient) -> None:
        self._account = login.account
        self._url = login.url
        self._http = http
        self._credentials = credentials(login)

    async def call(
        self, method: Method, path: str, *, params: Mapping[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """One request; the answer as it is, whatever its status."""
        request = self._http.build_request(method, self._url + path, params=params, **more)
        # Signed as it is sent: the query's signs may be written in more than one way.
        request.headers["Authorization"] = self._credentials.header(method, str(request.url))
        return await self._http.send(request, follow_redirects=False)

    def judge(self, response: httpx.Response, *, with_media: bool = False) -> None:
        """Raise what an answer means, if it is no success; as `refusals.judge`."""
        judge(response, self._account, with_media=with_media)

    async def ask(self, path: str, **params: str) -> dict[str, Any]:
        """The JSON object at a path. Raises PlatformError for a refusal or what is no object."""
        response = await self.call("GET", path, params=params)
        self.judge(response)
        return document_of(response)

    async def order(self, path: str, **more: Any) -> dict[str, Any]:
        """Do something; the `data` of the answer, empty where there is none. Raises as `ask`."""
        response = await self.call("POST", path, **more)
        self.judge(response)
        return data_of(document_of(response)) if response.content.strip() else {}


def document_of(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of a successful answer; raises PlatformError(TRANSIENT) if it is none, and
    what was asked for may have been done all the same."""
    try:
        document = response.json()
    except ValueError:
        document = None
    if isinstance(document, dict):
        return document
    raise unreadable(response, "X")


def data_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The `data` of an answer, empty where there is none."""
    data = document.get("data")
    return data if isinstance(data, dict) else {}


def id_of(data: Mapping[str, Any]) -> str | None:
    """The id in an answer, None if there is none that can be one."""
    value = data.get("id")
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if ID.fullmatch(text) else None


def known_id(remote_id: str) -> str:
    """The id of a post, fit for a path; raises PlatformError(INVALID) if it can't be one."""
    if ID.fullmatch(remote_id):
        return remote_id
    raise PlatformError(
        ErrorKind.INVALID,
        f"{remote_id!r} is no id of a post on X",
        hint="It is the number at the end of the post's address",
    )


def parent_of(prepared: Prepared) -> str | None:
    """The id of the post that a step replies to: the part before it; the first for a comment; None
    for the first. Raises PlatformError(INVALID) where it isn't known."""
    if prepared.role is Role.PART and prepared.n == 1:
        return None
    parent = prepared.root if prepared.role is Role.COMMENT else prepared.parent
    if parent is None:
        raise PlatformError(ErrorKind.INVALID, "the part it replies to is not known")
    return known_id(parent.remote_id)


def published(remote_id: str, username: str | None) -> Published:
    """A post that is out, with its address (fact sheet, section 8)."""
    return Published(remote_id, f"https://x.com/{username or 'i'}/status/{remote_id}")
