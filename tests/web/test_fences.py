"""What keeps others out, whoever they are: too many requests, other sites, slow and giant ones."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="the extra web is not installed")

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from postsched.domain.serving import Web
from postsched.domain.setting import Rate
from postsched.web.app import create_app
from postsched.web.auth import without_login
from postsched.web.connection import Connection
from postsched.web.headers import SecurityHeaders
from postsched.web.hosts import OwnHosts
from postsched.web.patience import Patience
from postsched.web.rates import Buckets
from tests.web.asking import api_at

EVIL = "https://evil.test"
OWN = {"Sec-Fetch-Site": "same-origin"}


def told(problem: HTTPException) -> Response:
    """A problem, plainly."""
    return PlainTextResponse(str(problem.detail), problem.status_code)


async def echo(request: Request) -> Response:
    """As many bytes as came."""
    return PlainTextResponse(str(len(await request.body())))


def test_a_bucket_fills_again() -> None:
    now = 0.0
    buckets = Buckets(Rate(3, timedelta(seconds=30)), lambda: now)
    assert [buckets.take("alice") for _ in range(3)] == [2, 1, 0]
    with pytest.raises(HTTPException) as caught:
        buckets.take("alice")
    assert (caught.value.status_code, caught.value.headers) == (429, {"Retry-After": "10"})
    assert buckets.take("bob") == 2
    now += 10
    assert buckets.take("alice") == 0


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {"Host": "localhost:8720"}, 200),
        ("GET", {"Host": "[::1]:8720"}, 200),
        ("GET", {"Host": "rebound.evil.test:8720"}, 421),
        ("GET", {"Host": "localhost", "Origin": "https://evil.test"}, 200),
        ("POST", {"Host": "localhost:8720", "Origin": "http://localhost:8720"}, 200),
        ("POST", {"Host": "localhost:8720", "Origin": "https://evil.test"}, 403),
        ("POST", {"Host": "localhost:8720", "Origin": "null"}, 403),
        ("POST", {"Host": "localhost:8720", "Sec-Fetch-Site": "cross-site"}, 403),
        ("POST", {"Host": "localhost:8720", "Origin": "https://app.test"}, 200),
        ("POST", {"Host": "localhost", "Origin": EVIL, "Authorization": "Bearer x"}, 200),
        ("POST", {"Host": "localhost", "Origin": EVIL, "Authorization": "Basic eDp5"}, 403),
        ("POST", {"Host": "localhost", "Origin": "https://localhost"}, 403),
        ("POST", {"Host": "localhost", "Origin": "https://localhost", **OWN}, 200),
        ("POST", {"Host": "localhost", "Origin": EVIL, **OWN}, 403),
    ],
)
def test_other_sites_are_kept_out(method: str, headers: dict[str, str], status: int) -> None:
    app = Starlette(routes=[Route("/", echo, methods=["GET", "POST"])])
    fenced = SecurityHeaders(OwnHosts(app, "127.0.0.1", {"https://app.test"}, told))

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=fenced)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, "/", headers=headers)

    answer = asyncio.run(ask())
    assert answer.status_code == status, answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


class Hurried(Connection):
    """One that waits less."""

    head_time = 0.3


@contextmanager
def serving() -> Iterator[int]:
    """A server with all of it, that waits less; its port."""
    app = Starlette(routes=[Route("/", echo, methods=["POST"])])
    config = uvicorn.Config(
        Patience(app, told, first=0.3, slowest=1000), port=0, http=Hurried, log_level="critical"
    )
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield int(listening.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def said(port: int, *pieces: bytes) -> bytes:
    """What the server says until it hangs up, to a client that never ends its request."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        answer = b""
        try:
            for piece in pieces:
                client.sendall(piece)
            while more := client.recv(65536):
                answer += more
        except ConnectionError:
            pass
        return answer


def test_slow_and_giant_requests_are_given_up() -> None:
    with serving() as port:
        assert said(port) == b""
        assert said(port, b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ") == b""
        giant = said(port, b"POST / HTTP/1.1\r\nHost: localhost\r\nX: ", b"x" * 100_000)
        assert giant.startswith(b"HTTP/1.1 431 ") or giant == b""
        slow = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc"
        assert said(port, slow).startswith(b"HTTP/1.1 408 ")
        assert httpx.post(f"http://127.0.0.1:{port}/", content=b"x" * 1000).text == "1000"


def test_only_pages_that_are_named_may_ask_before(tmp_path: Path) -> None:
    ask = {"Origin": EVIL, "Access-Control-Request-Method": "POST",
           "Access-Control-Request-Headers": "authorization"}  # fmt: skip
    with api_at(tmp_path) as api:
        app = create_app(lambda: api.desk, without_login, Web(cors_origins=("https://app.test",)))
        for fenced, origin, allowed in (
            (api.app, EVIL, None),
            (app, EVIL, None),
            (app, "null", None),
            (app, "https://app.test", "https://app.test"),
        ):
            api.app = fenced
            answer = api("OPTIONS", "/posts", headers=ask | {"Origin": origin})
            assert answer.headers.get("access-control-allow-origin") == allowed, (origin, answer)
            assert "access-control-allow-credentials" not in answer.headers
