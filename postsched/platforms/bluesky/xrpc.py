"""XRPC, the calls of the AT Protocol, and what their errors mean.

A query is a GET, a procedure a POST with JSON, both at /xrpc/NSID; an error is
{"error": name, "message": words} (atproto.com/specs/xrpc). The names are those of the lexicons
com.atproto.server, .repo and .identity, and what the reference PDS 0.5.35 really says: an expired
token is a 400, a closed account a 401.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import PlatformError
from postsched.platforms.judging import raise_for_answer, unreadable

if TYPE_CHECKING:
    import httpx

REFUSED_LOGINS = frozenset(
    {
        "AuthenticationRequired",
        "AuthFactorTokenRequired",
        "AuthMissing",
        "ExpiredToken",
        "InsufficientScope",
        "InvalidToken",
        "MissingScope",
        "ScopeMissingError",
    }
)
"""Errors that a fresh session, or a new app password, may cure."""
CLOSED_ACCOUNTS = frozenset(
    {
        "AccountDeactivated",
        "AccountSuspended",
        "AccountTakedown",
        "RepoDeactivated",
        "RepoSuspended",
        "RepoTakendown",
    }
)
"""Errors that no session cures: the account itself is closed."""
WORDS_LIMIT = 300
"""A server's sentence is cut to this many characters."""


class XrpcError(PlatformError):
    """A refusal that has a name in the lexicon."""

    def __init__(self, name: str, kind: ErrorKind, words: str, status: int) -> None:
        super().__init__(kind, words, http_status=status)
        self.name = name


@dataclass(frozen=True, slots=True)
class Xrpc:
    """Calls to one server (`base`, without a slash at the end) in one session.

    Each returns the answer of a success; refusals are raised as XrpcError where they have a name,
    else as PlatformError, httpx's errors pass through.
    """

    http: httpx.AsyncClient
    base: str
    token: str | None = field(default=None, repr=False)

    async def query(self, method: str, **params: str) -> httpx.Response:
        """Ask for something."""
        response = await self.http.get(self._url(method), params=params, headers=self._headers())
        return _checked(response)

    async def procedure(self, method: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """Do something; without a body nothing is sent (refreshSession refuses one)."""
        response = await self.http.post(self._url(method), json=body, headers=self._headers())
        return _checked(response)

    async def upload(self, content: bytes, mime: str) -> dict[str, Any]:
        """Store a blob; returns its reference, to be used exactly as it came. Blobs are named by
        their content: the same bytes again are the same blob."""
        headers = {**self._headers(), "Content-Type": mime}
        url = self._url("com.atproto.repo.uploadBlob")
        response = await self.http.post(url, content=content, headers=headers)
        blob: dict[str, Any] = value_of(_checked(response), "blob")
        return blob

    def _url(self, method: str) -> str:
        return f"{self.base}/xrpc/{method}"

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def value_of(response: httpx.Response, name: str) -> Any:
    """What a successful answer says under a name; raises PlatformError(TRANSIENT) if it is no such
    answer, and what was asked for may have been done all the same."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict) and name in body:
        return body[name]
    raise unreadable(response, "the server")


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    name, words = _refusal(response)
    status = response.status_code
    if name in CLOSED_ACCOUNTS:
        raise XrpcError(name, ErrorKind.PERMANENT, words, status)
    if name in REFUSED_LOGINS:
        raise XrpcError(name, ErrorKind.AUTH, words, status)
    if name and status in (400, 413):
        raise XrpcError(name, ErrorKind.INVALID, words, status)
    raise_for_answer(response, words or None)
    return response


def _refusal(response: httpx.Response) -> tuple[str, str]:
    """The error's name and the server's sentence; empty where the body is no XRPC error."""
    try:
        body = response.json()
    except ValueError:
        return "", ""
    if not isinstance(body, dict):
        return "", ""
    name, message = body.get("error"), body.get("message")
    name = name if isinstance(name, str) else ""
    words = message if isinstance(message, str) and message else name
    printable = "".join(c if c.isprintable() else " " for c in words)
    return name, " ".join(printable.split())[:WORDS_LIMIT]
