"""The listener that a browser comes back to at the end of a login (RFC 8252 section 7.3).

It listens on this machine only, on the port and path of the redirect address. What isn't the
answer to the login that waits (a favicon, another path, another state) gets a page of its own, and
is otherwise ignored. The browser is kept waiting until it is known what became of the login, so
that its page says so. Nothing is logged, and no page repeats anything of a request.
"""

from __future__ import annotations

import errno
import os
import queue
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

from postsched.domain.errors import InvalidInput, NotAllowed, PostschedError

SLOWEST = 10.0
"""Seconds a browser may take for each piece of its request."""
CONNECTIONS = 32
"""Connections at once. Browsers open some that they never use."""
LONGEST_EXCHANGE = 180.0
"""Seconds a browser is kept waiting for its page, at the most."""
TICK = 0.5
"""Seconds between two looks for Ctrl-C, which interrupts no waiting on Windows."""
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Connection": "close",
}
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>postsched: {title}</title>
<meta name="viewport" content="width=device-width">
<style>:root {{ color-scheme: light dark }}
body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto }}
</style></head><body><h1>{title}</h1><p>{words}</p></body></html>
"""
LOGGED_IN = (200, "You are logged in", "You can close this page and return to the terminal.")
FAILED = (200, "The login did not work", "Return to the terminal: it says why.")
REFUSED = (200, "The login was refused", "Nothing was changed. Return to the terminal.")
NOT_OURS = (400, "This is not the answer to a login that waits",
            "Return to the terminal, and use the address it shows.")  # fmt: skip
TAKEN = (409, "This login was answered already", "Return to the terminal.")
NOTHING = (404, "There is nothing here", "The login waits for its answer at another address.")
BAD = (400, "This request can't be read", "Return to the terminal, and use the address it shows.")
Page = tuple[int, str, str]
"""The status, the heading, and what it says."""


class Arrival:
    """The answer to the login: its `code`, or the `error` that it came to. Somebody sits before
    the browser and waits for a page."""

    def __init__(self, code: str = "", error: PostschedError | None = None) -> None:
        self.code = code
        self.error = error
        self._page = FAILED
        self._chosen, self._written = threading.Event(), threading.Event()

    def show(self, page: Page) -> None:
        """Let the browser show a page, and wait until it has it."""
        self._page = page
        self._chosen.set()
        self._written.wait(SLOWEST)

    def page(self) -> Page:
        """The page to be shown, once it is chosen."""
        self._chosen.wait(LONGEST_EXCHANGE)
        return self._page

    def done(self) -> None:
        """The page is written, or can't be."""
        self._written.set()


class Listener:
    """Waits at `redirect_uri`, which is on this machine. `judge` finds the code in a query; it
    raises InvalidInput for what is no answer to this login, NotAllowed for a refusal."""

    def __init__(self, redirect_uri: str, judge: Callable[[str], str]) -> None:
        parts = urlsplit(redirect_uri)
        self._port = parts.port or 80
        self._path = parts.path or "/"
        # `localhost` is both, and nobody else shall be at the other one.
        self._hosts = {"localhost": ("127.0.0.1", "::1"), "::1": ("::1",)}.get(
            parts.hostname or "", ("127.0.0.1",)
        )
        self._judge = judge
        self._arrivals: queue.Queue[Arrival] = queue.Queue()
        self._taken = threading.Lock()
        self._servers: list[_Server] = []

    def __enter__(self) -> Self:
        try:
            for host in self._hosts:
                self._listen(host)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._servers.clear()

    def wait(self, patience: float) -> Arrival | None:
        """The answer, None if there was none in so many seconds."""
        end = time.monotonic() + patience
        while (left := end - time.monotonic()) > 0:
            try:
                return self._arrivals.get(timeout=min(left, TICK))
            except queue.Empty:
                continue
        return None

    def answer(self, target: str) -> tuple[Page, Arrival | None]:
        """The page for a request, with the arrival if it is the answer that is waited for."""
        path, _, query = target.partition("?")
        if path != self._path:
            return NOTHING, None
        try:
            arrival = Arrival(code=self._judge(query))
        except InvalidInput:
            return NOT_OURS, None
        except NotAllowed as error:
            arrival = Arrival(error=error)
        if not self._taken.acquire(blocking=False):
            return TAKEN, None
        self._arrivals.put(arrival)
        return arrival.page(), arrival

    def _listen(self, host: str) -> None:
        try:
            server = _Server(host, self._port, self)
        except OSError as error:
            if host == "::1" and self._servers and error.errno != errno.EADDRINUSE:
                return  # there is no IPv6 here
            reason = error.strerror or type(error).__name__
            raise NotAllowed(
                f"the login can't come back to port {self._port} of this machine: {reason}",
                "Free it, or set another as callback_port, and with the app too",
            ) from None
        self._servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()


class _Server(ThreadingHTTPServer):
    """A thread for each connection, so that one that says nothing holds up no other."""

    allow_reuse_address = os.name != "nt"  # there it would let another process take the port
    allow_reuse_port = False

    def __init__(self, host: str, port: int, listener: Listener) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = listener
        self._places = threading.BoundedSemaphore(CONNECTIONS)
        super().__init__((host, port), _Answerer)

    def server_bind(self) -> None:
        # Not HTTPServer's, which looks up a name for the address.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, self.allow_reuse_address)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up is no error, and a traceback would show its request."""


class _Answerer(BaseHTTPRequestHandler):
    """One connection, one request: GET only, at most 64 KiB a line (http.server)."""

    timeout = SLOWEST
    server: _Server

    def do_GET(self) -> None:
        page, arrival = self.server.listener.answer(self.path)
        try:
            self._write(page)
        finally:
            if arrival is not None:
                arrival.done()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Not http.server's, which repeats the request."""
        self.close_connection = True
        self._write((code, *BAD[1:]))

    def _write(self, page: Page) -> None:
        status, title, words = page
        content = PAGE.format(title=title, words=words).encode()
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def version_string(self) -> str:
        return "postsched"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server names it
        """The code is in the request."""
