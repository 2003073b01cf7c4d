"""What comes over the wire and is no proper request, from somebody who knows HTTP better than
clients do: refused as HTTP says, and the next client finds everything as it was."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="the extra web is not installed")

from postsched.web.binding import bind
from postsched.web.connection import Connection
from postsched.web.serving import Serving
from tests.web.asking import Api, api_at

STATUS = re.compile(rb"HTTP/1\.1 (\d+) ")
ME = b"Host: localhost\r\nAuthorization: Bearer tests\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
PATIENCE = 20.0


@contextmanager
def listening(api: Api) -> Iterator[int]:
    """The API as it is served, in a thread; its port."""
    bound, up = bind("127.0.0.1", 0), threading.Event()
    serving = Serving(api.app, bound, 1, up.set)
    serving.start()
    try:
        assert up.wait(PATIENCE)
        yield int(bound.getsockname()[1])
    finally:
        asyncio.run(serving.stop())


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Where the API listens."""
    with api_at(tmp_path) as api, listening(api) as at:
        yield at


def said(port: int, request: bytes, until: Callable[[bytes], bool] = lambda _: False) -> bytes:
    """What comes back until it hangs up, or that is so."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        try:
            client.sendall(request)
            while not until(answer) and (more := client.recv(65536)):
                answer += more
        except ConnectionError:
            pass
    return answer


def statuses(port: int, request: bytes, count: int = 1) -> list[int]:
    """The statuses of so many answers."""

    def found(answer: bytes) -> list[int]:
        return [int(one) for one in STATUS.findall(answer)]

    return found(said(port, request, lambda answer: len(found(answer)) >= count))


def head(method: str, path: str, *lines: str) -> bytes:
    """The head of a request, by somebody who may write."""
    return f"{method} {path} HTTP/1.1\r\n".encode() + ME + "".join(
        f"{line}\r\n" for line in (*lines, "")
    ).encode()  # fmt: skip


POST = ("POST", "/api/v1/posts", "Content-Type: application/json")
NO_REQUESTS = [
    head(*POST, "Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n" + HEALTH,
    head(*POST, "Transfer-Encoding: chunked", "Content-Length: 5") + b"0\r\n\r\n" + HEALTH,
    head(*POST, "Content-Length: 5", "Content-Length: 6") + b"{}    ",
    head(*POST, "Content-Length: -1"),
    head(*POST, "Content-Length: +2") + b"{}",
    head(*POST, "Content-Length: 99999999999999999999"),
    head(*POST, "Transfer-Encoding: chunked, identity") + b"0\r\n\r\n",
    head(*POST, "Transfer-Encoding : chunked") + b"0\r\n\r\n",
    head(*POST, "Transfer-Encoding: chunked") + b"-1\r\n\r\n",
    head("GET", "/healthz", "X: folded", " on"),
    b"GET /healthz HTTP/1.1\nHost: localhost\n\n",
    b"GET /healthz HTTP/3.0\r\nHost: localhost\r\n\r\n",
    b"GET /health\x00z HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    head("GET", "/healthz", "Host: evil.test"),
    head("GET", "/api/v1/posts", "Authorization: Bearer other"),
]


def test_what_is_no_request_is_refused_once(port: int) -> None:
    for request in NO_REQUESTS:
        assert statuses(port, request) == [400], request
    assert statuses(port, HEALTH) == [200]


def test_what_is_odd_is_answered_soundly(port: int) -> None:
    answered = {
        head("GET", "/api/v1/posts", "Connection: Upgrade", "Upgrade: websocket"): 200,
        head("GET", "/healthz", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"): 200,
        head("GET", "/api/v1/pause", "X-HTTP-Method-Override: POST", "X-Method: POST"): 405,
        head(*POST, "Content-Encoding: gzip", "Content-Length: 2") + b"{}": 415,
        head("POST", "/api/v1/media?name=a.png", "Content-Encoding: br", "Content-Length: 0"): 415,
        head(*POST, "Content-Length: 9999999999") + b"{}": 413,
        head(*POST, "Expect: 100-continue", "Content-Length: 9999999999"): 413,
        head("GET", "/api/v1/accounts/me%2fpause"): 405,
        head("GET", "/api/v1/accounts/%00"): 404,
        head("GET", "/api/v1/accounts/%ff%fe"): 404,
        head("GET", "/static/../../../../../etc/passwd"): 404,
        head("GET", "/static/%2e%2e/%2e%2e%2f%2e%2e/app.py"): 404,
        head("GET", "/media/..%2f..%2fposts.db"): 404,
        head("OPTIONS", "*"): 404,
        b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n": 200,
        b"GET /healthz HTTP/1.1\r\nHost: rebound.test\r\n\r\n": 421,
        b"GET /healthz HTTP/1.1\r\n\r\n": 421,
    }
    for request, status in answered.items():
        assert statuses(port, request) == [status], request
    assert statuses(port, HEALTH * 20, 20) == [200] * 20


def test_who_holds_on_is_let_go(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("head_time", "rest_time", "answer_time"):
        monkeypatch.setattr(Connection, name, 0.3)
    begun = time.monotonic()
    unread = head(*POST, "Content-Length: 4000001") + b"x"  # refused, and never read to its end
    assert statuses(port, unread, 2) == [413]
    assert statuses(port, HEALTH + b"\r\n", 2) == [200]
    assert statuses(port, HEALTH + b"GET / HT", 2) == [200]
    chunk = head(*POST, "Transfer-Encoding: chunked") + b"1\r\n{\r\n"
    assert statuses(port, chunk + b"0\r\n" + b"X: y\r\n" * 80_000, 2) == [431]
    assert statuses(port, chunk + b"1;" + b"x" * 500_000, 2) == [431]
    assert _trickled(port, HEALTH[:-2] + b"X-Slow: ") == b"", "each byte won it some time"
    assert time.monotonic() - begun < PATIENCE / 2


def _trickled(port: int, begun: bytes) -> bytes:
    """What comes back to who goes on, a byte at a time, until it is hung up on."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        client.sendall(begun)
        try:
            while True:
                client.sendall(b"x")
                client.settimeout(0.02)
                with suppress(TimeoutError):
                    return client.recv(65536)
        except ConnectionError:
            return b""


def _ask_on(client: socket.socket, asked: bytes) -> None:
    """Read nothing."""
    while True:
        client.sendall(asked)
        time.sleep(0.01)


@pytest.mark.slow
def test_who_takes_no_answers_is_let_go(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "answer_time", 0.3)
    asked = head("GET", "/api/v1/openapi.json") * 60
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", port))
        with pytest.raises(ConnectionError):
            _ask_on(client, asked)
    assert statuses(port, HEALTH) == [200]


@pytest.mark.slow
def test_nobody_holds_all_connections(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "most", 3)
    held = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) for _ in range(3)]
    for one in held:
        one.sendall(HEALTH)
        assert one.recv(100).startswith(b"HTTP/1.1 200")
    assert statuses(port, HEALTH) == [503]
    held.pop().close()
    deadline = time.monotonic() + PATIENCE
    while statuses(port, HEALTH) != [200]:
        assert time.monotonic() < deadline
    for one in held:
        one.close()
