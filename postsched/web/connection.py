"""A connection of a client: one that is slow, or says too much, does not hold it for long, and
nobody holds all of them."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 65_536
"""Bytes of the head of a request, at the most; also of what is in a body beside the body."""
MOST = 768
"""Connections at once: files are left for the engine where a process may have 1024 of them."""
EACH = MOST // 4
"""Of one other machine. A proxy on this one is asked by many."""
FRAMING = 8
"""Bytes in which a byte of a body comes, at the most: in a chunk of its own."""


def _refusal(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()


TOO_LARGE = _refusal("431 Request Header Fields Too Large")
TOO_MANY = _refusal("503 Service Unavailable")


class Connection(HttpToolsProtocol):
    """uvicorn's, with bounds: for heads and answers it waits as long as it takes, it keeps all
    that comes in heads and trailers, and takes whoever comes."""

    head_time = 10.0
    """Seconds in which the head of a request is there, from the connection or its first byte."""
    rest_time = 2.0
    """Seconds for the rest of a body that was answered before it was whole."""
    answer_time = 30.0
    """Seconds in which a client takes some of what it is sent."""
    most, each = MOST, EACH

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head: int | None = 0
        self._beside = 0
        self._has_rest = False
        self._waiting: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        # asyncio promises no more than a BaseTransport; on a socket it is the Transport of uvicorn.
        super().connection_made(transport)  # type: ignore[arg-type]
        if self._are_too_many():
            self._refuse(TOO_MANY)
        else:
            self._wait(self.head_time)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._wait_no_more()
        self._unstick()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something came."""
        if self._head is None:  # the body, or the next request behind it
            self._beside += len(data)
        else:
            self._head += len(data)
        super().data_received(data)
        if max(self._head or 0, self._beside) > LARGEST_HEAD and not self.transport.is_closing():
            self._refuse(TOO_LARGE)
        elif self._is_idle():  # it was no request yet, or the rest of one
            self._wait(self.head_time)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head, self._beside, self._has_rest = 0, 0, True
        self._wait(self.head_time)

    def on_headers_complete(self) -> None:
        """Its head is there."""
        self._head = None
        self._wait_no_more()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Some of its body is there."""
        self._beside = max(0, self._beside - FRAMING * len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All of it is there."""
        self._beside, self._has_rest = 0, False
        self._wait_no_more()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """A request is answered: the newest that came, or one before it."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._end()
        elif self._has_rest and self.cycle.response_complete:
            self._wait(self.rest_time)

    def pause_writing(self) -> None:
        """The client does not take what it is sent."""
        super().pause_writing()
        self._unstick()
        self._stuck = self.loop.call_later(self.answer_time, self.transport.abort)

    def resume_writing(self) -> None:
        """It took some."""
        super().resume_writing()
        self._unstick()

    def timeout_keep_alive_handler(self) -> None:
        """No other request came."""
        self._end()

    def _is_idle(self) -> bool:
        answered = self.cycle is None or self.cycle.response_complete
        return answered and not self._has_rest and not self.transport.is_closing()

    def _are_too_many(self) -> bool:
        if len(self.connections) > self.most:
            return True
        address = self.client[0] if self.client else ""
        if not address or ip_address(address.partition("%")[0]).is_loopback:
            return False
        clients = [getattr(other, "client", None) for other in self.connections]
        its = [one for one in clients if one is not None and one[0] == address]
        return len(its) > self.each

    def _refuse(self, answer: bytes) -> None:
        self.transport.write(answer)
        self._end()

    def _end(self) -> None:
        """Hang up, at the latest when what was sent was not taken for long."""
        self.transport.close()
        self._unstick()
        self._stuck = self.loop.call_later(self.answer_time, self.transport.abort)

    def _wait(self, seconds: float) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(seconds, self._end)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _unstick(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
