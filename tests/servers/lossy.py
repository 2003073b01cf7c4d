"""A proxy on 127.0.0.1 that loses answers: the server has done what was asked, the client never
hears of it. For servers of others, which can't be told to.

    python -m tests.servers.lossy http://127.0.0.1:3000 PATH_PART --lose 10 --seed 1

Only answers to POST requests whose path has PATH_PART in it are lost. Prints its own address.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import socket
import struct
from urllib.parse import urlsplit


class Lossy:
    """Passes bytes both ways; at the first bytes of an answer it may reset the connection."""

    def __init__(self, host: str, port: int, path: bytes, share: float, seed: int) -> None:
        self._target = host, port
        self._path = path
        self._share = share
        self._random = random.Random(seed)

    async def serve(self) -> None:
        """Serve until the process is killed."""
        server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        print(f"http://127.0.0.1:{port}", flush=True)
        await server.serve_forever()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            return
        state = {"lose": False}
        await asyncio.gather(
            self._requests(reader, up_writer, state), self._answers(up_reader, writer, state)
        )

    async def _requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, state: dict[str, bool]
    ) -> None:
        try:
            while data := await reader.read(65536):
                first = data.split(b"\r\n", 1)[0]
                if first.endswith(b"HTTP/1.1"):
                    watched = first.startswith(b"POST ") and self._path in first
                    state["lose"] = watched and self._random.random() < self._share
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def _answers(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, state: dict[str, bool]
    ) -> None:
        try:
            while data := await reader.read(65536):
                if state["lose"]:
                    _reset(writer)
                    return
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("path")
    parser.add_argument("--lose", type=float, default=10.0, metavar="PERCENT")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    target = urlsplit(given.url)
    host, port = target.hostname or "127.0.0.1", target.port or 80
    lossy = Lossy(host, port, given.path.encode(), given.lose / 100, given.seed)
    asyncio.run(lossy.serve())


if __name__ == "__main__":
    main()
