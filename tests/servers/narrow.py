"""A proxy on 127.0.0.1 that takes only so much of what a client sends until it is opened: a slow
line, without the waiting."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Self
from urllib.parse import urlsplit

BUFFER = 64 * 1024
"""Bytes that the system may keep for us; what the client's system keeps is up to 4 MB."""


class Narrow:
    """Passes bytes both ways; of each connection, `first` bytes of the requests until `open`."""

    def __init__(self, target: str, first: int = 500_000) -> None:
        parts = urlsplit(target)
        self._target = parts.hostname, parts.port
        self._first = first
        self._loop = asyncio.new_event_loop()
        self._opened = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def open(self) -> None:
        """Let everything through from now on."""
        self._loop.call_soon_threadsafe(self._opened.set)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        server = self._loop.run_until_complete(
            asyncio.start_server(self._pass, sock=self._listening, limit=BUFFER)
        )
        try:
            self._loop.run_forever()
        finally:
            server.close()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(*self._target)
        await asyncio.gather(
            self._copy(reader, up_writer, self._first), self._copy(up_reader, writer, None)
        )

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: int | None
    ) -> None:
        left = first
        try:
            while block := await reader.read(BUFFER):
                if left is not None:
                    left -= len(block)
                    if left < 0:
                        await self._opened.wait()
                writer.write(block)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
