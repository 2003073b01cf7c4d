"""A proxy on 127.0.0.1 before a server that listens on a unix socket: what can happen to a
connection, done on purpose.

Programmable at any time, from any thread: connections stall, are frozen for ever, reset, refused;
answers come late, are cut after so many bytes, or are lost where the client said a certain word.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

BLOCK = 64 * 1024
"""Bytes that are passed on at once."""
COMMIT = b"COMMIT\0"
"""What a client of PostgreSQL says at the end of a transaction (as a whole: not READ COMMITTED)."""


@dataclass
class Lost:
    """What happens when a client says `word`, and has said `since` before: what it says is passed
    on, or not (`reaches`), and its connection is reset once the server answers, or frozen instead
    (`hangs`)."""

    word: bytes
    since: bytes = b""
    reaches: bool = True
    hangs: bool = False


@dataclass
class _Link:
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    frozen: bool = False
    dooms: list[Lost] = field(default_factory=list)
    said: set[bytes] = field(default_factory=set)
    left: int | None = None
    """Bytes that still come to the client, None for any number."""


class Between:
    """Passes bytes to the unix socket `target` and back. `done` counts what was done to
    connections."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.done: Counter[str] = Counter()
        self._links: list[_Link] = []
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refusing = False
        self._delay = 0.0
        self.wanted: list[Lost] = []
        """What is still to be lost."""
        self._cut_after: int | None = None

    # ---- what it can do

    def stall(self) -> None:
        """Pass nothing on, either way, until `flow`; new connections are taken, and wait too."""
        self._do(self._flowing.clear)

    def flow(self) -> None:
        """Pass everything on again, and take new connections."""

        def flow() -> None:
            self._refusing, self._delay = False, 0.0
            self._flowing.set()

        self._do(flow)

    def delay(self, seconds: float) -> None:
        """Pass everything on so late, both ways."""
        self._do(lambda: setattr(self, "_delay", seconds))

    def refuse(self) -> None:
        """Reset new connections, until `flow`."""
        self._do(lambda: setattr(self, "_refusing", True))

    def reset(self) -> None:
        """Reset all connections there are (RST)."""

        def reset() -> None:
            for link in list(self._links):
                self._end(link)

        self._do(reset)

    def freeze(self) -> None:
        """Never pass anything on of the connections there are, nor end them; as where something on
        the way has forgotten them."""

        def freeze() -> None:
            for link in self._links:
                link.frozen = True

        self._do(freeze)

    def lose(self, lost: Lost) -> None:
        """Do that to the next client that says the word."""
        self._do(lambda: self.wanted.append(lost))

    def cut_after(self, count: int) -> None:
        """Of the connection that is heard from next, reset it after so many bytes to the client."""
        self._do(lambda: setattr(self, "_cut_after", count))

    def forget(self) -> None:
        """Do none of what is still to come."""

        def forget() -> None:
            self.wanted.clear()
            self._cut_after = None

        self._do(forget)

    # ---- how

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._do(self._loop.stop)
        self._thread.join(10)

    def _do(self, action: Callable[[], object]) -> None:
        """In the loop; not before it is done."""
        done = threading.Event()

        def act() -> None:
            try:
                action()
            finally:
                done.set()

        self._loop.call_soon_threadsafe(act)
        done.wait(5)

    def _run(self) -> None:
        server = self._loop.run_until_complete(
            asyncio.start_server(self._pass, sock=self._listening)
        )
        try:
            self._loop.run_forever()
        finally:
            server.close()
            self._loop.run_until_complete(_end_all())
            self._loop.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._flowing.wait()
            if self._refusing:
                raise ConnectionRefusedError
            up_reader, up_writer = await asyncio.open_unix_connection(str(self._target))
        except OSError:
            self.done["refused"] += 1
            _reset(writer)
            return
        except asyncio.CancelledError:
            return  # this is the end
        link = _Link(writer, up_writer)
        self._links.append(link)
        try:
            await asyncio.gather(self._ask(link, reader), self._answer(link, up_reader))
        except asyncio.CancelledError:
            pass  # this is the end
        finally:
            self._links.remove(link)
            writer.close()
            up_writer.close()

    async def _ask(self, link: _Link, reader: asyncio.StreamReader) -> None:
        """From the client to the server."""
        try:
            while block := await self._block(link, reader):
                if self._cut_after is not None:
                    link.left, self._cut_after = self._cut_after, None
                if (lost := self._lost(link, block)) is not None:
                    link.dooms.append(lost)
                    self.done[f"{'answer' if lost.reaches else 'word'} lost"] += 1
                    if not lost.reaches:
                        self._doom(link, lost)
                        continue
                link.server.write(block)
                await link.server.drain()
        except OSError:
            pass
        finally:
            if not link.frozen:
                link.server.close()

    async def _answer(self, link: _Link, reader: asyncio.StreamReader) -> None:
        """From the server to the client."""
        try:
            while block := await self._block(link, reader):
                if link.dooms:
                    self._doom(link, link.dooms.pop())
                    continue
                if link.left is not None:
                    block, link.left = block[: link.left], link.left - len(block)
                link.client.write(block)
                await link.client.drain()
                if link.left is not None and link.left <= 0:
                    self._end(link)
        except OSError:
            pass
        finally:
            if not link.frozen:
                link.client.close()

    async def _block(self, link: _Link, reader: asyncio.StreamReader) -> bytes:
        """The next that is to be passed on, when it is to be."""
        while True:
            block = await reader.read(BLOCK)
            if self._delay:
                await asyncio.sleep(self._delay)
            await self._flowing.wait()
            if not (link.frozen and block):
                return block

    def _lost(self, link: _Link, block: bytes) -> Lost | None:
        for lost in self.wanted:
            if lost.since in block:
                link.said.add(lost.since)
            if lost.word in block and lost.since in link.said:
                self.wanted.remove(lost)
                return lost
        return None

    def _doom(self, link: _Link, lost: Lost) -> None:
        if lost.hangs:
            link.frozen = True
        else:
            self._end(link)

    def _end(self, link: _Link) -> None:
        self.done["reset"] += 1
        _reset(link.client)
        link.server.transport.abort()


async def _end_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
