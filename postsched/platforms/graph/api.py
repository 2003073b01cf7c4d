"""Calls in Meta's Graph style, with the token kept out of sight.

A POST has it in its body. A GET has it in the Authorization header, which not every host is known
to take: where that is refused, it is asked once more with the documented `access_token` in the
query. Addresses never show their query: httpx logs each address it asks.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.platforms import judging
from postsched.platforms.base import Login, PlatformError
from postsched.platforms.bearer import token_of
from postsched.platforms.graph.refusals import Refusal, is_refusal, read

if TYPE_CHECKING:
    import httpx

"""What may stand in an Authorization header (RFC 6750 section 2.1, and a little more)."""
NODE = re.compile(r"[0-9A-Za-z_-]{1,100}")
"""An id that may be part of an address."""
UPLOADS = "rupload.facebook.com"
PIECE = 1024 * 1024
"""Bytes of a file that are read at a time."""
Files = Mapping[str, tuple[str, bytes, str]]
"""Fields of files: name -> file name, bytes, MIME type."""


class Graph:
    """The API of one login, at one version. httpx's errors pass through; `judge` is left to the
    caller, who knows what was asked."""

    def __init__(self, login: Login, http: httpx.AsyncClient, version: str) -> None:
        self._base = f"{login.url}/{login.service.api_version or version}"
        self._http = http
        mend = f"Give it anew: postsched account set {login.account} --token-stdin"
        self._token = token_of(login, mend)
        self._secret = login.secret or Secret("")
        self._in_query = False

    def address(self, path: str) -> str:
        """Where a path is."""
        return f"{self._base}/{path}"

    async def get(self, path: str, **params: str) -> httpx.Response:
        """Read something; its answer as it is."""
        return await self._ask("GET", path, params)

    async def delete(self, path: str) -> httpx.Response:
        """Delete something."""
        return await self._ask("DELETE", path, {})

    async def post(
        self, path: str, form: Mapping[str, str], files: Files | None = None
    ) -> httpx.Response:
        """Make or publish something, by form fields and files."""
        return await self._http.post(
            f"{self._base}/{path}",
            data={**form, "access_token": self._token},
            files=files,
            follow_redirects=False,
        )

    async def put_file(self, url: str, file: Path, size: int) -> httpx.Response:
        """Bring a file of that many bytes to an address that the network gave for it: with the
        token, so only to the network's own or the account's. Raises PlatformError else."""
        if not _is_own(url, self._base):
            raise PlatformError(
                ErrorKind.TRANSIENT, "the network wants the file somewhere that is not its own"
            )
        headers = {
            "Authorization": f"OAuth {self._token}", "offset": "0", "file_size": str(size),
            "Content-Type": "application/octet-stream", "Content-Length": str(size),
        }  # fmt: skip
        return await self._http.post(
            url, content=_pieces(file), headers=headers, follow_redirects=False
        )

    def read(self, response: httpx.Response) -> Refusal:
        """What an answer that is no success says, without the secret."""
        return read(response, self._secret.scrub)

    def judge(self, response: httpx.Response) -> None:
        """Raise what an answer means, if it is no success (Graph has errors with status 200)."""
        if is_refusal(response):
            raise self.read(response).error()

    def object(self, response: httpx.Response) -> Mapping[str, Any]:
        """The JSON object of a success. Raises PlatformError(TRANSIENT) for what is none."""
        self.judge(response)
        body = json_of(response)
        if not isinstance(body, dict):
            raise unreadable(response)
        return body

    async def _ask(self, method: str, path: str, params: Mapping[str, str]) -> httpx.Response:
        from postsched.platforms.secret_address import send_unseen  # it loads httpx

        if not self._in_query:
            header = {"Authorization": f"Bearer {self._token}"}
            response = await send_unseen(self._http, method, f"{self._base}/{path}", params, header)
            if not is_refusal(response) or not self.read(response).is_login:
                return response
        given = {**params, "access_token": self._token}
        response = await send_unseen(self._http, method, f"{self._base}/{path}", given)
        self._in_query = not is_refusal(response)
        return response


def id_in(response: httpx.Response, made: Mapping[str, Any], name: str = "id") -> str:
    """The id that a success names. Raises as `unreadable` where it names none."""
    found = made.get(name)
    is_id = isinstance(found, str | int) and not isinstance(found, bool)
    if not is_id or not NODE.fullmatch(str(found)):
        raise unreadable(response)  # what was asked for was done all the same
    return str(found)


def rows_in(answer: Mapping[str, Any], what: str) -> list[Mapping[str, Any]]:
    """The rows of a list. Raises PlatformError(TRANSIENT) where there are none to be read."""
    rows = answer.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise PlatformError(ErrorKind.TRANSIENT, f"the network's list of {what} can't be read")
    return rows


def json_of(response: httpx.Response) -> Any:
    """The JSON of an answer, None where it is none."""
    try:
        return response.json()
    except ValueError:
        return None


def unreadable(response: httpx.Response) -> PlatformError:
    """What to raise for a success that does not say what it must; it may have been carried out."""
    return judging.unreadable(response, "the network")


def node(remote_id: str) -> str:
    """An id, as part of an address. Raises PlatformError(INVALID) for what is none."""
    if not NODE.fullmatch(remote_id):
        what = f"{remote_id[:80]!r} is no id of a post" if remote_id else "its id is not known"
        raise PlatformError(ErrorKind.INVALID, what, hint="Look at the account itself")
    return remote_id


def _is_own(url: str, base: str) -> bool:
    """Whether a file may be brought there: to Meta's host for that, or where the account is."""
    there, here = urlsplit(url), urlsplit(base)
    at_meta = (there.scheme, there.netloc) == ("https", UPLOADS)
    return at_meta or (there.scheme, there.netloc) == (here.scheme, here.netloc)


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(file.open, "rb") as opened:
        while piece := await asyncio.to_thread(opened.read, PIECE):
            yield piece
