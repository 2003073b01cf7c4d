"""Requests to addresses that have a secret in them: what logs and errors show of such an address is
a stand-in.

Import it where a request is made: it loads httpx.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

HIDDEN = "***"


class SecretAddress(httpx.URL):
    """An address that httpx sends requests to as it is, and shows in its logs, reprs and errors
    without the secret."""

    def __init__(self, url: httpx.URL, secrets: Sequence[str]) -> None:
        super().__init__(url)
        self._shown = _hidden(super().__str__(), secrets)

    def __str__(self) -> str:
        return self._shown

    def __repr__(self) -> str:
        return f"SecretAddress({self._shown!r})"


class Unseen(httpx.URL):
    """An address that shows itself without its query."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc.decode('ascii')}{self.path}"

    __repr__ = __str__


async def send_unseen(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    params: Mapping[str, str],
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """One request whose query is in no log; redirects are not followed."""
    request = http.build_request(method, url, params=dict(params), headers=dict(headers or {}))
    request.url = Unseen(request.url)
    return await http.send(request, follow_redirects=False)


async def send(
    http: httpx.AsyncClient, method: str, url: str, secrets: Sequence[str], **more: Any
) -> httpx.Response:
    """One request to an address in which none of the `secrets` may ever be seen. Redirects are not
    followed; httpx's errors pass through, without what a server may have repeated in them."""
    request = http.build_request(method, url, **more)
    request.url = SecretAddress(request.url, secrets)
    try:
        return await http.send(request, follow_redirects=False)
    except httpx.HTTPError as error:
        error.args = (_hidden(str(error), secrets),)
        raise error from None  # what it comes of says the same


def _hidden(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text
