"""Servers on loopback that answer as they are told, and clients for them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from postsched.platforms.judging import classify
from postsched.transport import Transport

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


Reading = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]]


@asynccontextmanager
async def raw(serve: Reading, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The address of a server that does what `serve` does with each connection."""

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        over = (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError)
        with contextlib.suppress(*over):
            await serve(reader, writer)
        writer.transport.abort()

    running = await asyncio.start_server(guarded, "127.0.0.1", 0, ssl=tls)
    async with running:
        scheme = "https" if tls else "http"
        yield f"{scheme}://127.0.0.1:{running.sockets[0].getsockname()[1]}"


def says(
    *pieces: bytes, hang_up: bool = False
) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    """An answer in those pieces, each in a packet of its own."""

    async def write(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.005)
        if hang_up:
            writer.close()

    return write


def outcome_of(caught: pytest.ExceptionInfo[Any]) -> type:
    return type(classify(caught.value, sending=True))
