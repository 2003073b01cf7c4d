"""Answers and bodies are bounded in size and in time."""

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
from typing import Any

import httpx
import pytest

from postsched.domain.outcome import Lost, Retry
from postsched.platforms.judging import classify
from postsched.transport import LARGE_BODY, LARGEST_ANSWER, Transport
from tests.transport.serving import (
    answer,
    lent,
    ok,
    run,
    server,
)


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
