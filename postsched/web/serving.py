"""The application as it is served: uvicorn in a thread with an event loop of its own, so that the
caller's is free to hear when to stop."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable

import uvicorn
from anyio.to_thread import run_sync
from fastapi import FastAPI

from postsched.web.connection import Connection

in_thread = run_sync
"""Runs what blocks in one of the few threads of requests."""


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
        self._app = app
        self._thread = threading.Thread(target=self._serve, name="postsched-web", daemon=True)

    def start(self) -> None:
        """Begin to answer, beside the caller."""
        self._thread.start()

    def prepare(self) -> None:
        """Make the API's document, which takes half a second, before somebody has to wait for it;
        it blocks."""
        self._app.openapi()

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
