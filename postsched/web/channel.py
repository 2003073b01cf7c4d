"""What the process that serves HTTP and the one that sends posts say to each other: JSON, a line
each, over a pair of sockets that nobody else has.

`{"id": 7, "ask": "ready", …}` is answered by `{"id": 7, "answer": …}`, or by `{"id": 7, "error":
[class, message, hint]}`; what has no id wants no answer.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any

from postsched.domain import errors
from postsched.domain.errors import NotAllowed, PostschedError

log = logging.getLogger("postsched.web")
LONGEST = 2**26
"""Bytes of a line; the longest are the metrics."""
Answer = Callable[..., Awaitable[Any]]


class Gone(PostschedError):
    """The other process has ended, or does not answer."""


class Channel:
    """One end. `answers` are what the other one may ask, by name; each is handed the members of
    the question. Everything is called in the event loop that opened it."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answers: Mapping[str, Answer],
    ) -> None:
        self._reader, self._writer, self._answers = reader, writer, answers
        self._numbers = count(1)
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._listening = asyncio.ensure_future(self._listen())

    @classmethod
    async def over(cls, end: socket.socket, answers: Mapping[str, Answer]) -> Channel:
        """A channel over one end of a pair."""
        reader, writer = await asyncio.open_connection(sock=end, limit=LONGEST)
        return cls(reader, writer, answers)

    def tell(self, what: str, **given: Any) -> None:
        """Say something; whether it is heard is not known."""
        self._send({"ask": what, **given})

    async def ask(self, what: str, **given: Any) -> Any:
        """The answer to a question. Raises PostschedError as the other one did, and Gone."""
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            if self._listening.done():
                raise gone()
            self._send({"id": number, "ask": what, **given})
            return await answer
        finally:
            del self._asked[number]

    async def ended(self) -> None:
        """Wait until the other one has gone."""
        await asyncio.wait([self._listening])

    def close(self) -> None:
        """Say nothing more."""
        self._writer.close()

    def _send(self, message: Mapping[str, Any]) -> None:
        if not self._writer.is_closing():
            self._writer.write(json.dumps(message).encode() + b"\n")

    async def _listen(self) -> None:
        try:
            while line := await self._reader.readline():
                self._hear(json.loads(line))
        except OSError:
            pass  # it was killed; said to all below
        finally:
            for answer in self._asked.values():
                if not answer.done():
                    answer.set_exception(gone())
            self._writer.close()

    def _hear(self, message: dict[str, Any]) -> None:
        number = message.pop("id", None)
        if "ask" in message:
            task = asyncio.ensure_future(self._reply(number, message.pop("ask"), message))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        elif (answer := self._asked.get(number)) is not None and not answer.done():
            if "error" in message:
                answer.set_exception(_error(*message["error"]))
            else:
                answer.set_result(message["answer"])

    async def _reply(self, number: int | None, what: str, given: Mapping[str, Any]) -> None:
        try:
            said: dict[str, Any] = {"answer": await self._answers[what](**given)}
        except PostschedError as error:
            if number is None:
                log.error("%s", error)
            said = {"error": [type(error).__name__, error.message, error.hint]}
        except Exception as error:  # the one that asked is not to wait for ever
            log.error("%s failed: a bug", what, exc_info=error)
            said = {"error": ["NotAllowed", "this is a bug in postsched; its log says more", None]}
        if number is not None:
            self._send({"id": number, **said})


def gone() -> Gone:
    """The error."""
    return Gone("the process that sends posts does not answer", "Try again, or start serve again")


def _error(name: str, message: str, hint: str | None) -> PostschedError:
    found = getattr(errors, name, NotAllowed)
    assert issubclass(found, PostschedError)
    return found(message, hint)
