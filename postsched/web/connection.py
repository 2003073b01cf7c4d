"""A connection of a client: one that is slow, or says too much, does not hold it for long."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 65_536
"""Bytes of the head of a request, at the most."""
ANSWER = "HTTP/1.1 431 Request Header Fields Too Large", "content-length: 0", "connection: close"
TOO_LARGE = "\r\n".join((*ANSWER, "", "")).encode()


class Connection(HttpToolsProtocol):
    """uvicorn's, with bounds for heads: it waits for them as long as it takes, and keeps all."""

    head_time = 10.0
    """Seconds in which the head of a request is there, from the connection or its first byte."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head: int | None = 0
        self._waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        super().connection_made(transport)  # type: ignore[arg-type]  # it wants its own kind
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something came."""
        if self._head is None:  # the body, or the next request behind it
            super().data_received(data)
            return
        self._head += len(data)
        super().data_received(data)
        if self._head is not None and self._head > LARGEST_HEAD and not self.transport.is_closing():
            self.transport.write(TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head = 0
        self._wait()

    def on_headers_complete(self) -> None:
        """Its head is there."""
        self._head = None
        self._wait_no_more()
        super().on_headers_complete()

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(self.head_time, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
