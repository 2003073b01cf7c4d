"""A server that costs little: it answers every request as Mastodon answers a status, and notes the
instant at which each arrived.

    python -m tests.benchmarks.responder [--delay MS]     prints its address; ends with its stdin
    python -m tests.benchmarks.responder --capacity       how many requests a second it can take

It checks nothing: the strict Mastodon of `postsched.testing` takes longer for a request than a
scheduler does, and would be what is measured. GET /_arrivals gives [text, ns since 1970] of each
status, oldest first; GET /_count how many there are.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import selectors
import socket
import subprocess
import sys
import time
import urllib.request
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TextIO, cast

END = b"\r\n\r\n"
LENGTH = b"content-length:"
STATUS = b"POST /api/v1/statuses"


class Responder:
    """Answers on any number of connections, in one thread, with as little as can be: an event loop
    would cost as much again. `delay` is seconds before each answer."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._arrivals: list[tuple[bytes, int]] = []
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._ready = selectors.DefaultSelector()
        self._ready.register(self._listening, selectors.EVENT_READ)
        self._held: dict[socket.socket, bytes] = {}
        self._later: deque[tuple[float, socket.socket, bytes]] = deque()
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def serve(self, end: TextIO) -> None:
        """Serve until that file ends."""
        self._ready.register(end, selectors.EVENT_READ)
        while True:
            for key, _ in self._ready.select(self._patience()):
                if key.fileobj is end:
                    return
                if key.fileobj is self._listening:
                    self._accept()
                else:
                    self._read(cast(socket.socket, key.fileobj))
            while self._later and self._later[0][0] <= time.monotonic():
                _, connection, answer = self._later.popleft()
                self._send(connection, answer)

    def close(self) -> None:
        """Close everything."""
        for connection in [self._listening, *self._held]:
            connection.close()
        self._ready.close()

    def _patience(self) -> float | None:
        return max(0.0, self._later[0][0] - time.monotonic()) if self._later else None

    def _accept(self) -> None:
        connection, _ = self._listening.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._held[connection] = b""
        self._ready.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket) -> None:
        try:
            came = connection.recv(65536)
        except OSError:
            came = b""
        if not came:
            self._ready.unregister(connection)
            del self._held[connection]
            connection.close()
            return
        held = self._held[connection] + came
        while (end := held.find(END)) >= 0:
            whole = end + len(END) + _length(held[:end])
            if len(held) < whole:
                break
            self._answer(connection, held[:end], held[end + len(END) : whole])
            held = held[whole:]
        self._held[connection] = held

    def _answer(self, connection: socket.socket, head: bytes, body: bytes) -> None:
        if not head.startswith(STATUS):
            self._send(connection, _control(head, self._arrivals))
            return
        self._arrivals.append((body, time.time_ns()))
        answer = _status(len(self._arrivals))
        if self._delay:
            self._later.append((time.monotonic() + self._delay, connection, answer))
        else:
            self._send(connection, answer)

    def _send(self, connection: socket.socket, answer: bytes) -> None:
        if connection in self._held:
            with suppress(OSError):
                connection.sendall(answer)


def _length(head: bytes) -> int:
    found = head.lower().find(LENGTH)
    return int(head[found + len(LENGTH) :].split(b"\r\n", 1)[0]) if found >= 0 else 0


def _status(number: int) -> bytes:
    return _http(
        b'{"id":"%d","created_at":"2026-01-01T00:00:00.000Z","visibility":"public",'
        b'"uri":"http://127.0.0.1/s/%d","url":"http://127.0.0.1/@me/%d"}' % (number, number, number)
    )


def _http(body: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )


def _control(head: bytes, arrivals: list[tuple[bytes, int]]) -> bytes:
    if b"/_count" in head:
        return _http(b"%d" % len(arrivals))
    told = [(json.loads(body)["status"], at) for body, at in arrivals]
    return _http(json.dumps(told).encode())


@contextmanager
def responder(delay: float = 0.0) -> Iterator[str]:
    """One in a process of its own, on the first core; its address. `delay` is seconds."""
    command = [sys.executable, "-m", "tests.benchmarks.responder", "--delay", str(delay * 1000)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def arrivals(url: str) -> list[tuple[str, int]]:
    """Text and instant (ns since 1970) of each status that came, oldest first."""
    with urllib.request.urlopen(url + "/_arrivals", timeout=60) as answer:
        return [(text, at) for text, at in json.load(answer)]


def count(url: str) -> int:
    """How many statuses came."""
    with urllib.request.urlopen(url + "/_count", timeout=60) as answer:
        return int(answer.read())


class Hammer(asyncio.Protocol):
    """Sends the same request again and again, as fast as it is answered."""

    request = (
        b'%b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 19\r\n\r\n{"status":"post 1"}' % STATUS
    )

    def __init__(self, times: int, done: asyncio.Future[None]) -> None:
        self._left, self._done = times, done

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Again, or the end: an answer this small comes in one piece."""
        self._left -= 1
        if self._left:
            self._transport.write(self.request)
        else:
            self._done.set_result(None)
            self._transport.close()


async def hammered(url: str, connections: int = 50, each: int = 400) -> float:
    """Requests a second that it answered to so many connections."""
    loop = asyncio.get_running_loop()
    port = int(url.rpartition(":")[2])
    ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
    begun = time.perf_counter()
    for end in ends:
        await loop.create_connection(partial(Hammer, each, end), "127.0.0.1", port)
    await asyncio.gather(*ends)
    return connections * each / (time.perf_counter() - begun)


def capacity() -> float:
    """Requests a second that it can take: no scheduler is measured beyond that."""
    with responder() as url:
        return asyncio.run(hammered(url))


def on_first_core() -> None:
    """Keep this process on one core, so that the other is free for what is measured."""
    with suppress(AttributeError, OSError):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def main() -> None:
    """Serve, or measure oneself."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, default=0.0, metavar="MS")
    parser.add_argument("--capacity", action="store_true")
    given = parser.parse_args()
    if given.capacity:
        print(f"{capacity():.0f} requests/s")
        return
    on_first_core()
    server = Responder(given.delay / 1000)
    print(server.url, flush=True)
    with suppress(KeyboardInterrupt):  # Ctrl-C is for who started it
        server.serve(sys.stdin)


if __name__ == "__main__":
    main()
