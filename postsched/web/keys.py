"""The public keys of whoever signs JWTs: fetched as a JWK set (RFC 7517), kept for a while.

A key that is not known is looked for at most once a minute: else everybody could have us ask that
server, by tokens that name keys at random.
"""

from __future__ import annotations

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
LARGEST = 1_000_000
KINDS = {Algorithm.RS256: "RSA", Algorithm.EDDSA: "OKP"}
"""Algorithm -> the type that its keys have (RFC 7518, section 6.1; RFC 8037, section 2)."""


class Keys:
    """The keys at a URL. `monotonic` gives seconds; called from several threads."""

    def __init__(self, url: str, algorithm: Algorithm, monotonic: Callable[[], float]) -> None:
        self._url, self._algorithm, self._monotonic = url, algorithm, monotonic
        self._lock = threading.Lock()
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._fetched_at = self._tried_at = float("-inf")

    def of(self, kid: str | None) -> jwt.PyJWK | None:
        """The key of that id, None if there is none. Where a token names no key and there is only
        one, it is that. A set that can't be fetched leaves the one that was."""
        with self._lock:
            now = self._monotonic()
            stale = now - self._fetched_at >= LASTS
            if (stale or self._find(kid) is None) and now - self._tried_at >= APART:
                self._tried_at = now
                self._fetch(now)
            return self._find(kid)

    def _find(self, kid: str | None) -> jwt.PyJWK | None:
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    def _fetch(self, now: float) -> None:
        try:
            found = jwt.PyJWKSet.from_dict(_document(self._url)).keys
        except (httpx.HTTPError, ValueError, TypeError, jwt.PyJWTError) as error:
            log.error("the keys at %s can't be had: %s", self._url, error)
            return
        kind = KINDS[self._algorithm]
        self._keys = {
            key.key_id: key for key in found
            if key.key_type == kind and key.public_key_use in (None, "sig")
        }  # fmt: skip
        self._fetched_at = now


def _document(url: str) -> dict[str, object]:
    """What is at the URL: an object of JSON. Raises httpx.HTTPError, ValueError."""
    with (
        httpx.Client(timeout=PATIENCE, follow_redirects=False) as client,
        client.stream("GET", url) as answer,
    ):
        answer.raise_for_status()
        body = b""
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > LARGEST:
                raise ValueError("the key set is larger than a megabyte")
    document = httpx.Response(200, content=body).json()
    if not isinstance(document, dict):
        raise ValueError("it is no key set")
    return document
