"""What the service manager is told (sd_notify(3)): ready, reloading, stopping, how it goes, and
that the daemon is alive, for as long as it really works.

Where nobody wants to know, which is without NOTIFY_SOCKET, nothing is said.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable, Mapping


class Supervisor:
    """Tells systemd. `environ` has NOTIFY_SOCKET, and WATCHDOG_USEC and WATCHDOG_PID where it wants
    signs of life from the process `pid`; a telling that fails keeps nothing from going on."""

    def __init__(self, environ: Mapping[str, str], pid: int) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        usable = address.startswith(("/", "@")) and hasattr(socket, "AF_UNIX")
        self._address = address if usable else ""
        self._every = _half_of(environ, pid) if usable else None
        self._task: asyncio.Task[None] | None = None

    def ready(self, status: str) -> None:
        """Everything is listening."""
        self._tell("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """The settings are read again; `ready` follows."""
        micros = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000 if self._address else 0
        self._tell("RELOADING=1", f"MONOTONIC_USEC={micros}", "STATUS=reading the settings again")

    def stopping(self) -> None:
        """It comes to its end: what is in flight is waited for."""
        self._tell("STOPPING=1", "STATUS=waiting for the answers to what is in flight")

    def watch(self, sign: Callable[[], Awaitable[str | None]]) -> None:
        """Give signs of life, twice as often as they are wanted: what `sign` says of how it goes,
        and none while it gives None."""
        if self._every is not None and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._go_on(sign))

    async def end(self) -> None:
        """Give no more signs."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _go_on(self, sign: Callable[[], Awaitable[str | None]]) -> None:
        assert self._every is not None
        while True:
            if (status := await sign()) is not None:
                self._tell("WATCHDOG=1", f"STATUS={status}")
            await asyncio.sleep(self._every)

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        # A name that begins with @ is one of the abstract namespace, where that is a zero byte.
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.setblocking(False)
            out.sendto("\n".join(lines).encode(), address)


def _half_of(environ: Mapping[str, str], pid: int) -> float | None:
    """Seconds between two signs of life, None if none are wanted of this process."""
    wanted, whose = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", str(pid))
    if not (wanted.isdigit() and int(wanted) and whose == str(pid)):
        return None
    return int(wanted) / 2 / 1e6
