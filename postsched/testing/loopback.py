"""A small HTTP server on 127.0.0.1, the base of the strict networks that the tests talk to.

It runs in a thread of its own beside a test (`with MastodonServer() as server:`), or as a process
of its own: `python -m postsched.testing.loopback mastodon --port 0` prints its address. Every
request is recorded with its time of arrival, and what was committed stands in a ledger. Faults
are programmed by `program`, or from outside by POST /_faults; GET /_ledger and GET /_requests
tell what happened.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import struct
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Self

from postsched.testing.faults import Fault, FaultKind, Faults, fault_from_json
from postsched.testing.network import Seen
from postsched.testing.wire import Answer, BadRequest, Request, take_request

if TYPE_CHECKING:
    from postsched.platforms.base import Login

PAGE = b"<!DOCTYPE html><html><body><h1>Welcome to nginx!</h1></body></html>"
"""What a proxy in the way answers."""
LONGEST_BODY = 10_000
"""Bytes of each body that GET /_requests shows."""
NETWORKS = {
    "mastodon": "postsched.testing.mastodon:MastodonServer",
    "bluesky": "postsched.testing.bluesky:BlueskyServer",
    "x": "postsched.testing.x:XServer",
    "linkedin": "postsched.testing.linkedin:LinkedInServer",
    "threads": "postsched.testing.threads:ThreadsServer",
    "instagram": "postsched.testing.instagram:InstagramServer",
    "facebook": "postsched.testing.facebook:FacebookServer",
    "discord": "postsched.testing.discord:DiscordServer",
    "telegram": "postsched.testing.telegram:TelegramServer",
}
"""The networks that can be started as a process, by name."""


class Loopback(ABC):
    """A server with one network behind it. A subclass answers requests and keeps the ledger.

    `publishing` is the method and the path (a regular expression) of the request that makes a
    post visible. `requests` are all that arrived, oldest first; `ledger` is what was committed,
    plain JSON. `clock` tells the time in nanoseconds since the epoch.
    """

    publishing: ClassVar[tuple[str, str]]

    def __init__(self, *, port: int = 0, clock: Callable[[], int] = time.time_ns) -> None:
        self.requests: list[Request] = []
        self.ledger: list[dict[str, Any]] = []
        self.faults = Faults()
        self.clock = clock
        self._wanted = port
        self._url = ""
        self._dealt_with = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._connections: set[_Connection] = set()

    @abstractmethod
    def answer(self, request: Request) -> Answer:
        """Do what the request asks, and say what the network would."""

    @abstractmethod
    def posts(self) -> list[Seen]:
        """What is out, oldest first."""

    @property
    def url(self) -> str:
        """The server's address, without a slash at the end."""
        assert self._url, "the server was never started"
        return self._url

    def program(
        self, fault: Fault, method: str | None = None, path: str = ".*", count: int | None = 1
    ) -> None:
        """Let the next `count` requests of that method and path meet the fault (None: all)."""
        self.faults.program(fault, method, path, count)

    def program_publishing(self, fault: Fault, count: int | None = 1) -> None:
        """Let the next `count` requests that would make a post visible meet the fault."""
        self.faults.program(fault, *self.publishing, count)

    def lose_answers(self, share: float, seed: int) -> None:
        """Lose the answer to that share (0 to 1) of the publishing requests, after the commit."""
        self.faults.lose(share, seed, *self.publishing)

    def published_requests(self) -> list[Request]:
        """The requests that would make a post visible, whatever became of them."""
        from re import fullmatch

        method, path = self.publishing
        return [r for r in self.requests if r.method == method and fullmatch(path, r.path)]

    def wait_for(self, count: int, patience: float = 10.0) -> None:
        """Wait until that many publishing requests are dealt with: a client that gives up may be
        faster than the server. Raises AssertionError after `patience` seconds."""
        deadline = time.monotonic() + patience
        while self._dealt_with < len(self.requests) or len(self.published_requests()) < count:
            assert time.monotonic() < deadline, f"{count} publishing requests did not come"
            time.sleep(0.001)

    def __enter__(self) -> Self:
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        if not started.wait(10):
            raise RuntimeError("the loopback server does not start")
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and drop every connection; closing twice does no harm."""
        if self._loop and self._thread and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    def serve(self, started: Callable[[], None] = lambda: None) -> None:
        """Serve in this thread until the loop is stopped."""
        self._loop = loop = asyncio.new_event_loop()
        listening = socket.create_server(("127.0.0.1", self._wanted), backlog=1024)
        self._url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = loop.run_until_complete(
            loop.create_server(lambda: _Connection(self), sock=listening)
        )
        try:
            loop.call_soon(started)
            loop.run_forever()
        finally:
            server.close()
            for connection in list(self._connections):
                connection.reset()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()

    def _run(self, started: threading.Event) -> None:
        self.serve(started.set)

    def _control(self, request: Request) -> Answer | None:
        match request.method, request.path:
            case "GET", "/_ledger":
                return Answer(200, self.ledger)
            case "GET", "/_requests":
                return Answer(200, [_plain(seen) for seen in self.requests])
            case "POST", "/_faults":
                document = request.json
                self.program(
                    fault_from_json(document),
                    document.get("method"),
                    document.get("path", ".*"),
                    document.get("count", 1),
                )
                return Answer(200, {})
        return None


class _Connection(asyncio.Protocol):
    """One connection: requests in, answers out in order, faults in between."""

    def __init__(self, server: Loopback) -> None:
        self._server = server
        self._buffer = bytearray()
        self._at = 0
        self._stopped = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server._connections.add(self)
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server._connections.discard(self)

    def data_received(self, data: bytes) -> None:
        if not self._buffer:
            self._at = self._server.clock()
        self._buffer += data
        try:
            while not self._stopped and (request := take_request(self._buffer, self._at)):
                self._serve(request)
        except BadRequest as error:
            self._write(Answer(400, {"error": str(error)}).encode(close=True), last=True)

    def _serve(self, request: Request) -> None:
        control = self._server._control(request)
        if control is not None:
            self._write(control.encode())
            return
        self._server.requests.append(request)
        fault = self._server.faults.next_for(request)
        answer = None if fault and not fault.committed else self._server.answer(request)
        self._server._dealt_with += 1
        if fault is None:
            assert answer is not None
            self._write(answer.encode())
        else:
            self._meet(fault, answer or fault.answer)

    def _meet(self, fault: Fault, answer: Answer) -> None:
        match fault.kind:
            case FaultKind.ANSWER | FaultKind.ANSWER_AFTER:
                self._write(fault.answer.encode())
            case FaultKind.RESET | FaultKind.RESET_AFTER:
                self.reset()
            case FaultKind.HANG | FaultKind.HANG_AFTER:
                self._stopped = True
            case FaultKind.TRUNCATED:
                whole = answer.encode()
                self._write(whole[: len(whole) - max(1, len(answer.payload) // 2)], last=True)
            case FaultKind.NOT_JSON:
                self._write(Answer(200, PAGE).encode())
            case FaultKind.DELAY:
                assert self._server._loop is not None
                self._server._loop.call_later(fault.seconds, self._write, answer.encode())

    def _write(self, data: bytes, last: bool = False) -> None:
        assert self._transport is not None
        if self._transport.is_closing():
            return
        self._transport.write(data)
        if last:
            self._stopped = True
            self._transport.close()

    def reset(self) -> None:
        """Drop the connection with an RST, as a crashed peer would."""
        assert self._transport is not None
        self._stopped = True
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


def _plain(seen: Request) -> dict[str, Any]:
    body = seen.body[:LONGEST_BODY].decode(errors="replace")
    return {"method": seen.method, "path": seen.path, "at": seen.at, "body": body}


def main(arguments: list[str] | None = None) -> None:
    """Serve one network as a process, until it is killed; its address goes to stdout, and what it
    takes for a login to stderr."""
    parser = argparse.ArgumentParser(prog="python -m postsched.testing.loopback")
    parser.add_argument("network", choices=sorted(NETWORKS))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--lose", type=float, default=0.0, metavar="PERCENT")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--until-eof", action="store_true", help="end when standard input does")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="options")
    given = parser.parse_args(arguments)
    module, _, name = NETWORKS[given.network].partition(":")
    options = dict(option.split("=", 1) for option in given.options)
    server: Loopback = getattr(import_module(module), name)(port=given.port, **options)
    if given.until_eof:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    if given.lose:
        server.lose_answers(given.lose / 100, given.seed)
    server.serve(lambda: _introduce(server))


def _introduce(server: Loopback) -> None:
    login: Login | None = server.login() if hasattr(server, "login") else None
    if login is not None and login.secret is not None:
        secret = login.secret.get("password") or login.secret.text
        user = f", --user {login.user}" if login.user else ""
        takes = f"It takes the secret {secret}{user}"
        print(takes, file=sys.stderr, flush=True)  # noqa: T201 - for whoever tries it out
    print(server.url, flush=True)  # noqa: T201 - its address is its output


def _end_with_stdin() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    # Under this name, so that the networks and the server share one copy of the classes.
    from postsched.testing.loopback import main as run

    run()
