"""A place that takes files by HTTP PUT: WebDAV (RFC 4918), or any server that is set up for it.

The secret is sent with every request: as HTTP Basic (RFC 7617) where it has a user and a password,
else as a bearer token (RFC 6750).
"""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from postsched.domain.hosting import MediaHost
from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.hosting.base import Host, HostError

if TYPE_CHECKING:
    import httpx

GONE = (404, 410)
MISSING = (404, 409)
"""What is answered where the collection above is missing (RFC 4918 section 9.7.1)."""
MOST_PARENTS = 10
"""How many collections are made, one in another, at the most."""


class Dav(Host):
    """Raises HostError for a secret that is neither of the two."""

    def __init__(self, place: MediaHost, secret: Secret) -> None:
        super().__init__(place, secret)
        self._headers = {"Authorization": _authorization(secret)}

    async def put(self, http: httpx.AsyncClient, name: str, file: Path, kind: str | None) -> None:
        """Store a file; the collection is made where it is missing.

        What a server refuses it may refuse without reading on, and then its answer is lost: so it
        is asked first, without the file.
        """
        there = await self.ask(http, "HEAD", f"{self.place.url}/", self._headers)
        if there.status_code == 401:
            raise self.refusal(there)
        if there.status_code in MISSING:
            with suppress(HostError):  # whether a file can be stored all the same is seen below
                await self._make(http, self.place.url)
        response = await self._put(http, name, file, kind)
        if response.status_code in MISSING:
            await self._make(http, self.place.url)
            response = await self._put(http, name, file, kind)
        if not response.is_success:
            raise self.refusal(response)

    async def has(self, http: httpx.AsyncClient, name: str) -> bool:
        """Whether it is there."""
        return (await self.ask(http, "HEAD", self._url(name), self._headers)).is_success

    async def remove(self, http: httpx.AsyncClient, name: str) -> None:
        """Remove it."""
        response = await self.ask(http, "DELETE", self._url(name), self._headers)
        if not response.is_success and response.status_code not in GONE:
            raise self.refusal(response)

    def address(self, name: str) -> str:
        """At `public_url`, else where it was put."""
        return f"{self.place.public_url or self.place.url}/{quote(name)}"

    async def _put(
        self, http: httpx.AsyncClient, name: str, file: Path, kind: str | None
    ) -> httpx.Response:
        with file.open("rb") as body:
            size = body.seek(0, 2)
            body.seek(0)
            headers = {
                **self._headers,
                "Content-Type": kind or "application/octet-stream",
                "Content-Length": str(size),
            }
            return await self.ask(http, "PUT", self._url(name), headers, body)

    async def _make(self, http: httpx.AsyncClient, url: str, depth: int = 0) -> None:
        """Make a collection, and those above it first where they are missing (section 9.3.1)."""
        response = await self.ask(http, "MKCOL", f"{url}/", self._headers)
        above = _above(url)
        if response.status_code in MISSING and above and depth < MOST_PARENTS:
            await self._make(http, above, depth + 1)
            response = await self.ask(http, "MKCOL", f"{url}/", self._headers)
        if not response.is_success and response.status_code != 405:  # 405: it is there
            refusal = self.refusal(response)
            raise HostError(
                refusal.kind,
                f"{refusal.message}: its folder could not be made",
                refusal.hint,
                http_status=refusal.http_status,
                after=refusal.after,
            )

    def _url(self, name: str) -> str:
        return f"{self.place.url}/{quote(name)}"


def _above(url: str) -> str | None:
    parts = urlsplit(url)
    path = parts.path.rstrip("/").rpartition("/")[0]
    return urlunsplit(parts._replace(path=path)) if path else None


def _authorization(secret: Secret) -> str:
    value = secret.reveal()
    user, password = secret.get("user"), secret.get("password")
    if isinstance(user, str) and isinstance(password, str) and ":" not in user:
        return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
    if isinstance(value, str) and value.isascii() and " " not in value:
        return f"Bearer {value}"
    raise HostError(
        ErrorKind.PERMANENT,
        "the media host's secret is neither a token nor a user with a password",
        'Give {"user": "…", "password": "…"}: postsched media-host set --secret-stdin',
    )
