"""Requests and answers in one piece: httpx's, with what is looked at rarely made when it is looked
at. To make them as httpx does takes longer than all that is done on the network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import httpx

from postsched.transport.addresses import Origin, origin

Pair = tuple[bytes, bytes]
"""Name and value of a header field, as they go over the wire."""
Server = tuple[bytes, bytes, int | None, str | None]
"""Scheme, host and port of a connection, and the name in its certificate if it is another."""
TEXT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
"""JSON as httpx writes it."""
BODILESS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
"""Methods of which nothing is said of a body that is not there."""
OWN = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection"})
"""Headers that are made here: a request that brings them is left to httpx."""


class Place(NamedTuple):
    """Where a request goes: its address read, and what follows from it."""

    url: httpx.URL
    origin: Origin
    server: Server
    line: Pair
    """The path, and the value of the header Host."""


@lru_cache(maxsize=256)
def place(address: str) -> Place:
    """Most addresses are asked for again and again. Raises httpx.InvalidURL."""
    url = httpx.URL(address)
    server = (url.raw_scheme, url.raw_host, url.port, None)
    return Place(url, origin(url), server, (url.raw_path, url.netloc))


class Direct(httpx.Request):
    """A request with its body in one piece. `common` are the headers of its client, `given` those
    of its own."""

    def __init__(
        self, method: str, place: Place, common: Sequence[Pair], given: list[Pair], body: bytes
    ) -> None:
        self.method = method
        self.url = place.url
        self.place = place
        self.common, self.given = common, given
        self._content = body
        self.extensions = {}

    def __getattr__(self, name: str) -> Any:
        if name == "headers":
            host = [(b"Host", self.place.line[1])] if self.place.line[1] else []
            self.headers = httpx.Headers([*host, *self.common, *self.given])
            return self.headers
        if name == "stream":
            self.stream = httpx.ByteStream(self._content)
            return self.stream
        raise AttributeError(name)


def direct(
    method: str, address: str, common: Sequence[Pair], headers: Mapping[str, str], document: Any
) -> Direct:
    """A request with JSON, or with nothing. Raises httpx.InvalidURL, and UnicodeEncodeError for
    a header that can't be one."""
    given = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
    body = b""
    if document is not None:
        body = TEXT.encode(document).encode()
        given += [
            (b"Content-Length", b"%d" % len(body)),
            (b"Content-Type", b"application/json"),
        ]
    return Direct(method.upper(), place(address), common, given, body)


class Whole(httpx.Response):
    """An answer that was read whole. `fields` are its headers."""

    def __init__(
        self,
        status: int,
        fields: list[Pair],
        body: bytes,
        request: httpx.Request,
        version: str,
        reason: bytes,
    ) -> None:
        self.status_code = status
        self.request = request
        self.next_request = None
        self.history = []
        self.is_closed = self.is_stream_consumed = True
        self.default_encoding = "utf-8"
        self._content = body
        self._num_bytes_downloaded = 0
        self._said = fields, version, reason

    def __getattr__(self, name: str) -> Any:
        if name == "headers":
            self.headers = httpx.Headers(self._said[0])
            return self.headers
        if name == "extensions":
            version, reason = self._said[1:]
            self.extensions = {
                "http_version": b"HTTP/" + version.encode("ascii"),
                "reason_phrase": reason,
            }
            return self.extensions
        if name == "stream":
            self.stream = httpx.ByteStream(self._content)
            return self.stream
        raise AttributeError(name)
