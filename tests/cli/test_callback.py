"""The listener that browsers come back to: what it takes, and what it bears."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from postsched.cli.callback import CONNECTIONS, FAILED, LOGGED_IN, REFUSED, Arrival, Listener
from postsched.domain.errors import InvalidInput, NotAllowed
from tests.servers.process import free_port

pytestmark = pytest.mark.slow

CODE = "code-of-the-login-77"


def judge(query: str) -> str:
    """The code of the answer `good`; `bad` is a refusal, and everything else none."""
    if query == f"code={CODE}&state=good":
        return CODE
    if query == "error=access_denied&state=good":
        raise NotAllowed("refused")
    raise InvalidInput("another login")


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def listener(port: int) -> Iterator[Listener]:
    with Listener(f"http://127.0.0.1:{port}/callback", judge) as listening:
        yield listening


@pytest.fixture
def browser() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def get(port: int, target: str = f"/callback?code={CODE}&state=good") -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}{target}", trust_env=False, timeout=30)


def arrived(listener: Listener) -> Arrival:
    arrival = listener.wait(30)
    assert arrival is not None
    return arrival


def raw(port: int, data: bytes) -> bytes:
    """What is answered to some bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(data)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
    return answer


def test_the_answer(listener: Listener, port: int, browser: ThreadPoolExecutor) -> None:
    page: Future[httpx.Response] = browser.submit(get, port)
    arrival = arrived(listener)
    assert (arrival.code, arrival.error) == (CODE, None)
    assert not page.done()
    arrival.show(LOGGED_IN)
    response = page.result()
    assert response.status_code == 200
    assert "You are logged in" in response.text
    assert CODE not in response.text
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "Python" not in response.headers["server"]


def test_a_refusal(listener: Listener, port: int, browser: ThreadPoolExecutor) -> None:
    page = browser.submit(get, port, "/callback?error=access_denied&state=good")
    arrival = arrived(listener)
    assert isinstance(arrival.error, NotAllowed)
    arrival.show(REFUSED)
    assert "was refused" in page.result().text


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/favicon.ico", 404),
        ("/", 404),
        ("/callback/", 404),
        (f"/other?code={CODE}&state=good", 404),
        ("/callback", 400),
        (f"/callback?code={CODE}&state=wrong", 400),
        (f"/callback?code={CODE}", 400),
        ("/callback?error=access_denied&state=wrong", 400),
        ("/callback?<script>alert(1)</script>", 400),
    ],
)
def test_what_is_no_answer(
    listener: Listener, port: int, browser: ThreadPoolExecutor, target: str, status: int
) -> None:
    response = get(port, target)
    assert response.status_code == status
    assert CODE not in response.text
    assert "<script" not in response.text
    assert listener.wait(0.05) is None
    page = browser.submit(get, port)
    arrived(listener).show(LOGGED_IN)
    assert page.result().status_code == 200


def test_the_first_answer_is_taken(
    listener: Listener, port: int, browser: ThreadPoolExecutor
) -> None:
    pages = [browser.submit(get, port) for _ in range(8)]
    arrival = arrived(listener)
    arrival.show(LOGGED_IN)
    assert sorted(page.result().status_code for page in pages) == [200] + [409] * 7
    assert listener.wait(0.05) is None


@pytest.mark.slow
def test_one_who_says_nothing_holds_up_nobody(
    listener: Listener, port: int, browser: ThreadPoolExecutor
) -> None:
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS - 2)]
    silent[0].sendall(b"GET /callback?code=")
    page = browser.submit(get, port)
    arrived(listener).show(LOGGED_IN)
    assert page.result().status_code == 200
    for connection in silent:
        connection.close()


@pytest.mark.slow
def test_more_connections_than_any_browser_makes(listener: Listener, port: int) -> None:
    crowd = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS + 20)]
    deadline = time.monotonic() + 20
    while threading.active_count() > CONNECTIONS + 20:
        assert time.monotonic() < deadline
    for connection in crowd:
        connection.close()
    while get_or_none(port) is None:
        assert time.monotonic() < deadline


def get_or_none(port: int) -> int | None:
    try:
        return get(port, "/favicon.ico").status_code
    except httpx.HTTPError:
        return None


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /callback?" + b"x" * 200_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X-Long: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X-Many: 1\r\n" * 2_000 + b"\r\n",
        b"POST /callback?code=%s&state=good HTTP/1.1\r\n\r\n" % CODE.encode(),
        b"HEAD /callback?code=%s&state=good HTTP/1.1\r\n\r\n" % CODE.encode(),
        b"%s nonsense %s\r\n\r\n" % (CODE.encode(), CODE.encode()),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"\r\n" * 10,
    ],
    ids=["line", "header", "headers", "post", "head", "words", "tls", "empty"],
)
def test_what_is_no_request(listener: Listener, port: int, request_: bytes) -> None:
    answer = raw(port, request_)
    assert CODE.encode() not in answer
    assert b"Traceback" not in answer
    assert b" 200 " not in answer.partition(b"\r\n")[0]
    assert listener.wait(0.05) is None
    assert get(port, "/favicon.ico").status_code == 404


def test_nobody_comes(listener: Listener) -> None:
    assert listener.wait(0.1) is None


def test_only_this_machine(listener: Listener, port: int) -> None:
    (server,) = listener._servers
    assert server.socket.getsockname() == ("127.0.0.1", port)


def test_localhost_is_both(port: int, browser: ThreadPoolExecutor) -> None:
    with Listener(f"http://localhost:{port}/callback", judge) as listener:
        hosts = {server.socket.getsockname()[0] for server in listener._servers}
        assert "127.0.0.1" in hosts
        assert hosts <= {"127.0.0.1", "::1"}
        page = browser.submit(get, port)
        arrived(listener).show(LOGGED_IN)
        assert page.result().status_code == 200


def test_a_port_in_use(listener: Listener, port: int) -> None:
    with pytest.raises(NotAllowed, match=f"port {port}") as caught:
        Listener(f"http://127.0.0.1:{port}/callback", judge).__enter__()
    assert "callback_port" in str(caught.value.hint)


def test_the_port_is_free_again_at_once(port: int, browser: ThreadPoolExecutor) -> None:
    for _ in range(3):
        with Listener(f"http://127.0.0.1:{port}/callback", judge) as listener:
            page = browser.submit(get, port)
            arrived(listener).show(FAILED)
            assert "did not work" in page.result().text


def test_a_browser_that_hangs_up(listener: Listener, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /callback?code=%s&state=good HTTP/1.1\r\n\r\n" % CODE.encode())
        arrival = arrived(listener)
    arrival.show(LOGGED_IN)
    assert arrival.code == CODE


def test_nothing_is_logged(
    listener: Listener, port: int, browser: ThreadPoolExecutor, capfd: pytest.CaptureFixture[str]
) -> None:
    page = browser.submit(get, port)
    arrived(listener).show(LOGGED_IN)
    page.result()
    get(port, "/favicon.ico")
    assert capfd.readouterr() == ("", "")
