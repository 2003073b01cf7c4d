"""The API beside the engine: uvicorn in a thread with an event loop of its own.

The socket is bound before anything else, so that a port in use is known at once; and requests wait
in it until the application is ready.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable

import uvicorn
from anyio.to_thread import run_sync
from fastapi import FastAPI

from postsched.domain.errors import InvalidInput
from postsched.web.connection import Connection

BACKLOG = 512
in_thread = run_sync
"""Runs what blocks in one of the few threads of requests."""


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes any that is free. Raises InvalidInput."""
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(f"nothing can listen at {where}: {why}", "Give another --host") from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        why = (error.strerror or str(error)).lower()
        raise InvalidInput(
            f"nothing can listen at {where}: {why}", "Give another --port, or --host"
        ) from None
    return bound


def address_of(bound: socket.socket) -> str:
    """The address of a socket for people and browsers."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """Tells when it answers."""

    listening: Callable[[], None] = staticmethod(lambda: None)
    ending: Callable[[], None] = staticmethod(lambda: None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        self.listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more requests, and end what would never end by itself."""
        self.ending()
        await super().shutdown(sockets)


class Serving:
    """An application that is served at a socket. `listening` is called in its thread, once it
    answers; `patience` is how long requests may take at the end, in seconds."""

    def __init__(
        self,
        app: FastAPI,
        bound: socket.socket,
        patience: float,
        listening: Callable[[], None] = lambda: None,
    ) -> None:
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http=Connection,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=max(1, round(patience)),
        )
        self._server = _Server(config)
        self._server.listening = listening
        self._server.ending = app.state.changes.end
        self._bound = bound
        # It tells of each request that is none, and strangers may send many.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        app.openapi()  # now, while nothing is due
        self._thread = threading.Thread(target=self._serve, name="postsched-web", daemon=True)

    def start(self) -> None:
        """Begin to answer, beside the caller."""
        self._thread.start()

    async def stop(self) -> None:
        """Take no more requests, and wait for the answers that are under way."""
        self._server.should_exit = True
        while self._thread.is_alive():
            await asyncio.sleep(0.01)
        self._bound.close()

    def hurry(self) -> None:
        """Wait for no answers any more."""
        self._server.should_exit = self._server.force_exit = True
        # What is broken off is no error.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)

    def _serve(self) -> None:
        self._server.run(sockets=[self._bound])
