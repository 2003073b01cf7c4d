"""HTTP/1.1 as the loopback server reads and writes it."""

from __future__ import annotations

import pytest

from postsched.testing import Answer
from postsched.testing.wire import BadRequest, take_request

WHOLE = b"POST /a?b=%20c HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nX-Name:  v \r\n\r\nabc"


def test_a_request_is_taken_once_it_is_whole() -> None:
    for size in range(len(WHOLE)):
        assert take_request(bytearray(WHOLE[:size]), 1) is None
    buffer = bytearray(WHOLE + WHOLE)
    request = take_request(buffer, 5)
    assert request is not None
    assert (request.method, request.path, dict(request.query)) == ("POST", "/a", {"b": " c"})
    assert (request.headers["x-name"], request.body, request.at) == ("v", b"abc", 5)
    assert take_request(buffer, 6) is not None
    assert not buffer


@pytest.mark.parametrize(
    "head",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 70000,
    ],
)
def test_what_is_no_request_is_refused(head: bytes) -> None:
    with pytest.raises(BadRequest):
        take_request(bytearray(head), 1)


def test_a_form_has_its_files() -> None:
    body = (
        b'--B\r\nContent-Disposition: form-data; name="description"\r\n\r\n\xc3\xa4\r\n'
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n'
        b"Content-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n\x00\r\n--B--\r\n"
    )
    head = (
        "POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=B\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    request = take_request(bytearray(head.encode() + body), 1)
    assert request is not None
    assert request.form == {
        "description": (None, "ä".encode()),
        "file": ("a.png", b"\x89PNG\r\n\x1a\n\x00"),
    }


def test_an_answer_is_json_unless_it_is_bytes() -> None:
    assert Answer(200, {"a": 1}).encode() == (
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"a": 1}'
    )
    page = Answer(599, b"<p>", {"X-A": "b"}).encode(close=True)
    assert page.startswith(b"HTTP/1.1 599 \r\nContent-Type: text/html; charset=utf-8\r\nX-A: b\r\n")
    assert page.endswith(b"Content-Length: 3\r\nConnection: close\r\n\r\n<p>")
