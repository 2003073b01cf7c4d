"""HTTP/1.1 as a loopback network speaks it: requests parsed, answers written (RFC 9112).

Only what HTTP clients really send: bodies with Content-Length, keep-alive. Anything else is
refused, so that a client's mistake is seen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

HEAD_END = b"\r\n\r\n"
LARGEST_HEAD = 64 * 1024
"""Bytes of request line and headers; more is refused."""


class BadRequest(Exception):
    """What came is no HTTP request this server takes."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `at` is when its first byte arrived, in nanoseconds since the epoch; header
    names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    at: int

    @property
    def json(self) -> Any:
        """The body as JSON; raises ValueError if it is none."""
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, tuple[str | None, bytes]]:
        """The fields of a multipart or urlencoded body: name -> (file name, bytes)."""
        kind = self.headers.get("content-type", "")
        if not kind.startswith("multipart/form-data"):
            pairs = parse_qsl(self.body.decode(), keep_blank_values=True)
            return {name: (None, value.encode()) for name, value in pairs}
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        message: Message = BytesParser(policy=HTTP).parsebytes(head + self.body)
        fields = {}
        for part in message.walk():
            name = part.get_param("name", header="content-disposition")
            if isinstance(name, str):
                content = part.get_payload(decode=True)
                fields[name] = (part.get_filename(), content if isinstance(content, bytes) else b"")
        return fields


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server says. A body that is no bytes is sent as JSON."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def payload(self) -> bytes:
        """The bytes of the body."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()

    def encode(self, *, close: bool = False) -> bytes:
        """Status line, headers and body, as they go over the wire."""
        payload = self.payload
        kind = "text/html; charset=utf-8" if isinstance(self.body, bytes) else "application/json"
        headers = {"Content-Type": kind, **self.headers, "Content-Length": str(len(payload))}
        if close:
            headers["Connection"] = "close"
        lines = [f"HTTP/1.1 {self.status} {reason(self.status)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join(lines).encode("latin-1") + HEAD_END + payload


def reason(status: int) -> str:
    """The phrase that goes with a status, empty for one that is not registered."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def take_request(buffer: bytearray, at: int) -> Request | None:
    """The first whole request in the buffer, taken out of it; None if there is none yet.

    Raises BadRequest for what is no request or has no plain length.
    """
    end = buffer.find(HEAD_END)
    if end < 0:
        if len(buffer) > LARGEST_HEAD:
            raise BadRequest("the headers are too long")
        return None
    method, target, headers = _head(bytes(buffer[:end]))
    size = end + len(HEAD_END) + _length(headers)
    if len(buffer) < size:
        return None
    body = bytes(buffer[end + len(HEAD_END) : size])
    del buffer[:size]
    path, _, query = target.partition("?")
    return Request(method, path, dict(parse_qsl(query, True)) if query else {}, headers, body, at)


def _head(head: bytes) -> tuple[str, str, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or words[2] != "HTTP/1.1":
        raise BadRequest("the first line is no HTTP/1.1 request")
    pairs = (line.partition(":") for line in lines)
    return words[0], words[1], {name.lower(): value.strip() for name, _, value in pairs}


def _length(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise BadRequest("a body needs a Content-Length")
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise BadRequest("Content-Length is no number")
    return int(length)
