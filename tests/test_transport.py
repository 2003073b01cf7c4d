"""The clients that adapters get: kept off internal addresses, bounded in size and in time."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from postsched.domain.outcome import Lost, Retry
from postsched.platforms.judging import classify
from postsched.transport import LARGE_BODY, LARGEST_ANSWER, Transport, is_public

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """A server on loopback that answers each request in the next of the given ways, and then by
    `OK`."""

    url: str
    answers: list[Answer] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0


async def ok(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def answer(body: bytes = b"", *headers: str, status: str = "200 OK") -> Answer:
    """A whole answer."""

    async def write(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode() + body)

    return write


@asynccontextmanager
async def server(host: str = "127.0.0.1") -> AsyncIterator[Server]:
    """A server that plays the given answers."""
    found = Server("")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                found.requests.append(head)
                await (found.answers.pop(0) if found.answers else ok)(writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    running = await asyncio.start_server(serve, host, 0)
    port = running.sockets[0].getsockname()[1]
    found.url = f"http://{host}:{port}"
    async with running:
        yield found


@asynccontextmanager
async def lent(base: str, timeout: float = 5.0, **more: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client for an account at that address."""
    transport = Transport(timeout, **more)
    try:
        with transport.client("me", base) as client:
            yield client
    finally:
        await transport.close()


def run(scene: Callable[[], Awaitable[Any]]) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(20):
            return await scene()

    return asyncio.run(bounded())


def name_that_is_at(
    monkeypatch: pytest.MonkeyPatch, *rounds: list[str], name: str = "evil.example"
) -> list[str]:
    """Let a name be at these addresses, another list at each question; the questions."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in (name, name.encode()):
            return real(host, port, *args, **kwargs)
        addresses = rounds[min(len(asked), len(rounds) - 1)]
        asked.append(str(host))
        return [
            (socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port))
            for a in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


class TestInternalAddresses:
    """What is not the account's own server must be public."""

    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
            "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1",
            "::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1",
            "::ffff:10.0.0.1", "fe80::1%eth0", "64:ff9b::7f00:1", "2002:7f00:1::",
            "100.127.255.255", "198.18.0.1", "::7f00:1", "::ffff:0:a00:1", "64:ff9b:1::a00:1",
            "fec0::1", "2001:0:7f00:1::", "2001:db8::1", "3fff::1", "5f00::1", "100::1",
        ],
    )  # fmt: skip
    def test_are_known(self, address: str) -> None:
        assert not is_public(address)

    @pytest.mark.parametrize(
        "address",
        ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"],
    )
    def test_and_so_are_public_ones(self, address: str) -> None:
        assert is_public(address)

    @pytest.mark.parametrize(
        ("host", "address"),
        [
            ("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("[::1]", "::1"),
            ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1"), ("127.1", "127.0.0.1"),
            ("2130706433", "127.0.0.1"), ("0x7f.1", "127.0.0.1"), ("0", "0.0.0.0"),
            ("[::]", "::"),
        ],
    )  # fmt: skip
    def test_are_refused_however_they_are_written(
        self, monkeypatch: pytest.MonkeyPatch, host: str, address: str
    ) -> None:
        """What the C library makes of each is written here: the guard of the tests would not let
        some of them be asked for."""
        asked = name_that_is_at(monkeypatch, [address], name=httpx.URL(f"http://{host}").host)

        async def scene() -> None:
            async with server() as own, server() as internal, lent(own.url) as client:
                asked.clear()
                port = internal.url.rpartition(":")[2]
                with pytest.raises(httpx.ConnectError, match="not a public address"):
                    await client.get(f"http://{host}:{port}/")
                assert not internal.requests

        run(scene)

    def test_the_accounts_own_server_may_be_internal(self) -> None:
        async def scene() -> None:
            async with server() as own, lent(own.url) as client:
                assert (await client.get(own.url + "/x")).text == "ok"

        run(scene)

    def test_another_port_of_the_same_host_is_another_server(self) -> None:
        async def scene() -> None:
            async with server() as own, server() as other, lent(own.url) as client:
                with pytest.raises(httpx.ConnectError, match="not a public address"):
                    await client.get(other.url)
                assert not other.requests

        run(scene)

    def test_they_may_be_allowed(self) -> None:
        async def scene() -> None:
            async with (
                server() as own,
                server() as other,
                lent(own.url, allow_private=True) as client,
            ):
                assert (await client.get(other.url)).text == "ok"

        run(scene)

    def test_a_name_that_is_at_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        name_that_is_at(monkeypatch, ["127.0.0.1"])

        async def scene() -> None:
            async with server() as own, lent(own.url) as client:
                with pytest.raises(httpx.ConnectError, match=r"evil\.example is at 127\.0\.0\.1"):
                    await client.get("http://evil.example/")

        run(scene)

    def test_a_name_that_is_at_one_among_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        name_that_is_at(monkeypatch, ["93.184.216.34", "::ffff:10.0.0.1"])

        async def scene() -> None:
            async with lent("https://own.example") as client:
                with pytest.raises(httpx.ConnectError, match="not a public address"):
                    await client.get("http://evil.example/")

        run(scene)

    def test_a_name_that_moves_there_between_look_and_connection(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """DNS rebinding: what was looked at is what is connected to."""
        asked = name_that_is_at(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
        connected: list[str] = []

        async def scene() -> None:
            async with server() as internal, lent("https://own.example", 0.5) as client:
                port = int(internal.url.rpartition(":")[2])
                loop = asyncio.get_running_loop()
                connect = loop.sock_connect

                async def noted(sock: socket.socket, address: Any) -> None:
                    connected.append(address[0])
                    if address[0] != "93.184.216.34":
                        await connect(sock, address)
                    raise ConnectionRefusedError

                monkeypatch.setattr(loop, "sock_connect", noted)
                with pytest.raises(httpx.HTTPError):
                    await client.get(f"http://evil.example:{port}/")
                assert not internal.requests

        run(scene)
        assert len(asked) == 1
        assert set(connected) == {"93.184.216.34"}

    def test_a_redirect_into_the_inside(self) -> None:
        async def scene() -> None:
            async with server() as own, server() as internal, lent(own.url) as client:
                own.answers.append(
                    answer(b"", f"Location: {internal.url}/secret", status="302 Found")
                )
                with pytest.raises(
                    httpx.ConnectError, match=r"^127\.0\.0\.1 is not a public address"
                ):
                    await client.get(own.url, follow_redirects=True)
                assert not internal.requests

        run(scene)

    def test_a_name_that_is_not_known(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def getaddrinfo(*args: Any, **kwargs: Any) -> Any:
            raise socket.gaierror(-2, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

        async def scene() -> None:
            async with lent("https://own.example") as client:
                with pytest.raises(httpx.ConnectError):
                    await client.get("https://nowhere.example/")

        run(scene)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Again", "308 Moved"])
def test_redirects_are_not_followed(method: str, status: str) -> None:
    """A POST that is sent on could be carried out twice, or with the secret to another server."""

    async def scene() -> None:
        async with server() as own, lent(own.url) as client:
            own.answers.append(answer(b"", f"Location: {own.url}/other", status=status))
            response = await client.request(method, own.url + "/first")
            assert response.is_redirect
            assert len(own.requests) == 1

    run(scene)


class TestLargeAnswers:
    """No more is read than bears reading."""

    def test_too_large(self) -> None:
        async def endless(writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n")
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()

        async def scene() -> None:
            async with server() as own, lent(own.url) as client:
                own.answers.append(endless)
                with pytest.raises(httpx.ReadError, match="too large") as caught:
                    await client.get(own.url)
                assert isinstance(classify(caught.value, sending=True), Lost)

        run(scene)

    @pytest.mark.parametrize("coding", ["gzip", "deflate", "gzip, gzip", "gzip,gzip,gzip"])
    def test_a_bomb(self, coding: str) -> None:
        """A few kilobytes that unpack to gigabytes: refused in bounded memory."""
        body = b"\0" * (LARGEST_ANSWER * 4)
        for one in coding.split(","):
            body = zlib.compress(body, 9) if one.strip() == "deflate" else gzip.compress(body, 9)

        async def scene() -> None:
            async with server() as own, lent(own.url) as client:
                own.answers.append(answer(body, f"Content-Encoding: {coding}"))
                with pytest.raises((httpx.ReadError, httpx.DecodingError)):
                    await client.get(own.url)

        tracemalloc.start()
        run(scene)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 3 * LARGEST_ANSWER

    @pytest.mark.parametrize("coding", ["gzip", "deflate", "identity", ""])
    def test_a_packed_answer_is_unpacked(self, coding: str) -> None:
        text = "Grüße " * 1000
        body = text.encode()
        if coding == "gzip":
            body = gzip.compress(body)
        elif coding == "deflate":
            body = zlib.compress(body)

        async def scene() -> None:
            async with server() as own, lent(own.url) as client:
                headers = [f"Content-Encoding: {coding}"] if coding else []
                own.answers.append(
                    answer(body, *headers, "Content-Type: text/plain; charset=utf-8")
                )
                response = await client.get(own.url)
                assert response.text == text
                assert "content-encoding" not in response.headers

        run(scene)

    @pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "nonsense"])
    def test_an_answer_that_is_not_packed_as_it_says(self, coding: str) -> None:
        async def scene() -> None:
            async with server() as own, lent(own.url) as client:
                own.answers.append(answer(b"not packed at all", f"Content-Encoding: {coding}"))
                with pytest.raises(httpx.HTTPError):
                    await client.get(own.url)

        run(scene)


class TestSlowAnswers:
    """The whole answer has its time, not only each piece of it."""

    def test_a_drip(self) -> None:
        async def drip(writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)

        async def scene() -> None:
            async with server() as own, lent(own.url, 0.3) as client:
                own.answers.append(drip)
                begun = time.monotonic()
                with pytest.raises(httpx.ReadTimeout) as caught:
                    await client.get(own.url)
                assert time.monotonic() - begun < 2
                assert isinstance(classify(caught.value, sending=True), Lost)

        run(scene)

    def test_a_connection_that_is_never_made_is_no_lost_answer(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing was sent, so it may be tried again, however short the timeout is."""

        async def scene() -> None:
            async def never(sock: socket.socket, address: Any) -> None:
                await asyncio.sleep(60)

            monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", never)
            async with lent("http://127.0.0.1:9", 0.6) as client:
                with pytest.raises(httpx.HTTPError) as caught:
                    await client.post("http://127.0.0.1:9/")
                assert isinstance(classify(caught.value, sending=True), Retry), caught.value

        run(scene)

    def test_a_name_that_is_looked_up_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def scene() -> None:
            async def never(*args: Any, **kwargs: Any) -> Any:
                await asyncio.sleep(60)

            monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
            async with lent("https://own.example", 0.3) as client:
                with pytest.raises(httpx.HTTPError) as caught:
                    await client.get("https://slow.example/")
                assert isinstance(classify(caught.value, sending=True), Retry), caught.value

        run(scene)

    def test_a_large_upload_is_given_time(self) -> None:
        async def late(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.6)
            await ok(writer)

        async def scene() -> None:
            async with server() as own, lent(own.url, 0.3) as client:
                own.answers.append(late)
                body = b"x" * (64 * 1024)
                response = await client.post(own.url, content=body, timeout=5)
                assert response.status_code == 200

        run(scene)


class TestLargeBodies:
    """They leave in pieces, and it is told how far they have got."""

    SIZE = 8_000_000

    def test_it_is_told_as_they_leave(self) -> None:
        told: list[tuple[int, int]] = []

        async def scene() -> None:
            opened = asyncio.Event()
            async with reading(opened.wait) as url:
                transport = Transport(5)
                with transport.client("me", url, leaving=lambda *at: told.append(at)) as client:
                    await client.post(url, content=b"x" * (LARGE_BODY - 1))
                    assert not told, "a small one"
                    sending = asyncio.ensure_future(client.post(url, content=b"x" * self.SIZE))
                    await until(lambda: len(told) > 1)
                    assert told[0] == (0, self.SIZE)
                    assert told == sorted(told)
                    assert told[-1][0] < self.SIZE, "nobody has read it"
                    opened.set()
                    assert (await sending).text == str(self.SIZE)
                    assert told[-1] == (self.SIZE, self.SIZE)
                told.clear()
                with transport.client("me", url) as client:
                    await client.post(url, content=b"x" * LARGE_BODY)
                await transport.close()
            assert not told, "nobody watches any more"

        run(scene)

    def test_a_slow_line_is_none_that_hangs(self) -> None:
        """The time for writing goes for each piece, and what the system keeps takes its own: the
        whole takes longer than the timeout here."""

        async def scene() -> None:
            async with reading(lambda: asyncio.sleep(0.03)) as url, lent(url, 0.3) as client:
                begun = time.monotonic()
                answered = await client.post(url, files={"file": ("film", b"x" * self.SIZE)})
                assert int(answered.text) > self.SIZE
                assert time.monotonic() - begun > 0.3

        run(scene)


@asynccontextmanager
async def reading(pause: Callable[[], Awaitable[Any]]) -> AsyncIterator[str]:
    """The address of a server that answers with the length of the body, having paused before each
    larger piece that it reads."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError), contextlib.closing(writer):
            while head := await reader.readuntil(b"\r\n\r\n"):
                size = int(head.lower().partition(b"content-length: ")[2].split()[0])
                for start in range(0, size, LARGE_BODY):
                    if size > LARGE_BODY:
                        await pause()
                    await reader.readexactly(min(LARGE_BODY, size - start))
                body = str(size).encode()
                await answer(body)(writer)

    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    async with await asyncio.start_server(serve, sock=listening):
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; `run` has the deadline."""
    while not condition():
        await asyncio.sleep(0.001)


class TestLending:
    """One call, one client; its connection is kept for the next."""

    def test_calls_at_once_do_not_share_a_client(self) -> None:
        async def scene() -> None:
            transport = Transport(5)
            with transport.client("me", "https://x.example") as one:
                with transport.client("me", "https://x.example") as two:
                    assert one is not two
                with transport.client("me", "https://x.example") as three:
                    assert three is two
                with transport.client("you", "https://x.example") as four:
                    assert four not in (one, two)
            await transport.close()
            assert one.is_closed
            assert two.is_closed

        run(scene)

    def test_the_connection_is_used_again(self) -> None:
        async def scene() -> None:
            async with server() as own:
                transport = Transport(5)
                for _ in range(3):
                    with transport.client("me", own.url) as client:
                        await client.get(own.url)
                await transport.close()
                assert (len(own.requests), own.connections) == (3, 1)

        run(scene)

    def test_no_secret_goes_along_to_another_host(self) -> None:
        async def scene() -> None:
            async with server() as own, server() as other:
                async with lent(own.url, allow_private=True) as client:
                    own.answers.append(answer(b"", f"Location: {other.url}/", status="302 Found"))
                    await client.get(
                        own.url, follow_redirects=True, headers={"Authorization": "Bearer s3cret"}
                    )
                assert b"s3cret" in own.requests[0]
                assert b"s3cret" not in other.requests[0]

        run(scene)
