"""The public keys of whoever signs JWTs: fetched as a JWK set (RFC 7517), kept for a while.

A key that is not known is looked for at most once a minute: else everybody could have us ask that
server, by tokens that name keys at random. One request fetches; meanwhile the others go by the keys
that there are. Where those are is a setting: no header of a token (`jku`, `x5u`) is looked at.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable

import httpx
import jwt

from postsched.domain.serving import Algorithm

log = logging.getLogger("postsched.web")
LASTS = 600.0
"""Seconds after which the keys are fetched anew."""
APART = 60.0
"""Seconds between two attempts to fetch them."""
PATIENCE = 5.0
"""Seconds for all of it."""
LARGEST = 1_000_000
KINDS = {Algorithm.RS256: "RSA", Algorithm.EDDSA: "OKP"}
"""Algorithm -> the type that its keys have (RFC 7518, section 6.1; RFC 8037, section 2)."""

BROKEN = (
    httpx.HTTPError, ValueError, TypeError, AttributeError, TimeoutError, RecursionError,
    jwt.PyJWTError,
)  # fmt: skip
"""What comes of a server that is not there, or serves what is no key set."""


class Keys:
    """The keys at a URL. `monotonic` gives seconds; called from several threads."""

    def __init__(self, url: str, algorithm: Algorithm, monotonic: Callable[[], float]) -> None:
        self._url, self._algorithm, self._monotonic = url, algorithm, monotonic
        self._lock, self._fetching = threading.Lock(), threading.Lock()
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._fetched_at = self._tried_at = float("-inf")

    def of(self, kid: str | None) -> jwt.PyJWK | None:
        """The key of that id, None if there is none. Where a token names no key and there is only
        one, it is that. A set that can't be fetched leaves the one that was."""
        with self._lock:
            now = self._monotonic()
            stale = now - self._fetched_at >= LASTS
            if due := (stale or self._find(kid) is None) and now - self._tried_at >= APART:
                self._tried_at = now
                self._fetching.acquire()
        if due:
            try:
                self._fetch(now)
            finally:
                self._fetching.release()
        elif not self._keys:
            with self._fetching:  # the first ones are on their way
                pass
        return self._find(kid)

    def _find(self, kid: str | None) -> jwt.PyJWK | None:
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    def _fetch(self, now: float) -> None:
        try:
            found = jwt.PyJWKSet.from_dict(asyncio.run(_document(self._url))).keys
        except BROKEN as error:
            log.error("the keys at %s can't be had: %s", self._url, error or type(error).__name__)
            return
        kind = KINDS[self._algorithm]
        self._keys = {
            key.key_id: key for key in found
            if key.key_type == kind and key.public_key_use in (None, "sig")
        }  # fmt: skip
        self._fetched_at = now


async def _document(url: str) -> dict[str, object]:
    """What is at the URL: an object of JSON. Raises httpx.HTTPError, ValueError, TimeoutError."""
    async with (
        asyncio.timeout(PATIENCE),
        httpx.AsyncClient(timeout=PATIENCE, follow_redirects=False) as client,
        client.stream("GET", url) as answer,
    ):
        answer.raise_for_status()
        body = b""
        async for piece in answer.aiter_bytes():
            body += piece
            if len(body) > LARGEST:
                raise ValueError("the key set is larger than a megabyte")
    document = httpx.Response(200, content=body).json()
    if not isinstance(document, dict):
        raise ValueError("it is no key set")
    return document
