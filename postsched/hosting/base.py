"""What every media host has in common: its verbs, the sending of a file, and what can go wrong."""

from __future__ import annotations

import asyncio
import secrets
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from postsched.domain.errors import PostschedError
from postsched.domain.hosting import MediaHost
from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret

if TYPE_CHECKING:
    import httpx

BLOCK = 256 * 1024
"""Bytes of a file that are read at a time."""
LONGEST_WORDS = 200
"""Characters of a server's own words that are passed on."""
PREFIX = "postsched-"
"""How the names of all objects begin, so that people recognise them in their bucket."""
ENDINGS = {
    "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp",
    "video/mp4": ".mp4", "video/quicktime": ".mov", "video/webm": ".webm",
}  # fmt: skip
"""Networks tell images from films by these where the address is all they have."""


class HostError(PostschedError):
    """The media host did not do what was asked. `kind` is TRANSIENT where a later try may succeed,
    after so many seconds (`after`) if the host said so; else PERMANENT. `stored` says whether there
    may be (a part of) an object all the same."""

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        hint: str | None = None,
        *,
        http_status: int | None = None,
        after: float | None = None,
        stored: bool = False,
    ) -> None:
        super().__init__(message, hint)
        self.kind = kind
        self.http_status = http_status
        self.after = after
        self.stored = stored


class Host(ABC):
    """One place, with its secret. Every verb takes the client to ask by, and raises HostError."""

    def __init__(self, place: MediaHost, secret: Secret) -> None:
        self.place = place
        self._secret = secret

    @abstractmethod
    async def put(self, http: httpx.AsyncClient, name: str, file: Path, kind: str | None) -> None:
        """Store a file of a MIME type under a name; one that is there is replaced."""

    @abstractmethod
    async def has(self, http: httpx.AsyncClient, name: str) -> bool:
        """Whether an object is surely there."""

    @abstractmethod
    async def remove(self, http: httpx.AsyncClient, name: str) -> None:
        """Remove an object; one that is gone already is no error."""

    @abstractmethod
    def address(self, name: str) -> str:
        """Where everyone can fetch an object. It may hold a signature: it is not for logs."""

    def scrub(self, text: str) -> str:
        """The text without the host's secret."""
        return self._secret.scrub(text)

    def error(
        self,
        kind: ErrorKind,
        what: str,
        hint: str | None = None,
        *,
        http_status: int | None = None,
        after: float | None = None,
        stored: bool = False,
    ) -> HostError:
        """An error of this host: `the media host NAME` and what it does."""
        said = self.scrub(f"the media host {self.place.name} {what}")
        return HostError(kind, said, hint, http_status=http_status, after=after, stored=stored)

    async def ask(
        self,
        http: httpx.AsyncClient,
        method: str,
        url: str,
        headers: Mapping[str, str],
        file: BinaryIO | None = None,
    ) -> httpx.Response:
        """Send one request, with the rest of a file as its body. Redirects are not followed, for
        the other server would be told the secret."""
        import httpx

        content = _blocks(file) if file is not None else None
        try:
            return await http.request(
                method, url, headers=dict(headers), content=content, follow_redirects=False
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as e:
            why = str(e) or "no answer in time"
            raise self.error(ErrorKind.TRANSIENT, f"can't be reached: {why}") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as e:
            why = type(e).__name__
            raise self.error(ErrorKind.PERMANENT, f"can't be asked so: {why}") from None
        except httpx.TimeoutException:
            raise self.error(ErrorKind.TRANSIENT, "gave no answer in time", stored=True) from None
        except httpx.HTTPError as e:
            why = str(e) or type(e).__name__
            raise self.error(
                ErrorKind.TRANSIENT, f"broke the connection: {why}", stored=True
            ) from None

    def refusal(self, response: httpx.Response, words: str = "") -> HostError:
        """What an answer means that is no success; `words` are the server's own."""
        status = response.status_code
        said = f"HTTP {status}" + (f", {words[:LONGEST_WORDS]}" if words else "")
        if response.is_redirect:
            where = response.headers["location"].partition("?")[0][:LONGEST_WORDS]
            meaning: Meaning = (f"says that it is at {where}", "Set url under [media_host] so")
        else:
            meaning = REFUSALS.get(status) or _in_general(status, response.request.method)
        return self.error(
            ErrorKind.TRANSIENT if _passes(status) else ErrorKind.PERMANENT,
            f"{meaning[0]} ({said})",
            meaning[1],
            http_status=status,
            after=_wish(response),
            stored=status >= 500 and _passes(status),
        )


NEW_SECRET = "Give it another: postsched media-host set --secret-stdin"  # noqa: S105 - a hint
Meaning = tuple[str, str | None]
"""What the host does, and what to do about it."""
REFUSALS: Mapping[int, Meaning] = {
    401: ("refuses the secret", NEW_SECRET),
    403: ("refuses the secret, or what it may do", NEW_SECRET),
    413: ("finds the file too large", "Allow larger files there, or send a smaller one"),
    507: ("is full", "Make room there"),
}
PASSING = frozenset({408, 425, 429})
LASTING = frozenset({501, 505})


def _passes(status: int) -> bool:
    """Whether the same may be taken later."""
    return status in PASSING or (status >= 500 and status not in LASTING)


def _in_general(status: int, method: str) -> Meaning:
    if _passes(status):
        return "can't do it now", None
    if status in (405, 501):
        return f"knows no {method}", "Name one that takes PUT and DELETE, as WebDAV does"
    return "refuses it", "Look at the keys of [media_host]: postsched media-host check"


def new_name(kind: str | None) -> str:
    """A name that nobody can guess, 128 bits of chance, for a file of a MIME type."""
    return f"{PREFIX}{secrets.token_hex(16)}{ENDINGS.get(kind or '', '')}"


async def _blocks(file: BinaryIO) -> AsyncIterator[bytes]:
    while block := await asyncio.to_thread(file.read, BLOCK):
        yield block


def _wish(response: httpx.Response) -> float | None:
    """How long the server wants to be left alone (RFC 9110 section 10.2.3), in seconds."""
    after = response.headers.get("retry-after", "").strip()
    return float(after) if after.isascii() and after.isdigit() and len(after) < 8 else None
