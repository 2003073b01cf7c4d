"""The time of one case: shared by all its processes, and moved on whenever all of them only wait.

A process of postsched sees it where it sees the machine's clock (`enter`), so that a wait for the
next look-up costs nothing. Nothing of postsched is changed: what is replaced are the standard
library's `datetime` and `time` as three modules see them, and the event loop.
"""

from __future__ import annotations

import asyncio
import mmap
import selectors
import struct
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from datetime import datetime, timedelta, tzinfo
from types import SimpleNamespace
from typing import Any, TypeVar, TypeVarTuple

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")
QUIET = 0.01
"""Real seconds without a message after which a process that awaits none only waits."""


class World:
    """Real time and what was skipped, in memory that forked processes share."""

    def __init__(self) -> None:
        self._skipped = mmap.mmap(-1, 8)
        self.begin()

    def begin(self) -> None:
        """Another case: nothing was skipped."""
        self._skipped[:8] = struct.pack("d", 0.0)

    @property
    def skipped(self) -> float:
        """Seconds that were skipped."""
        return float(struct.unpack("d", self._skipped[:8])[0])

    def skip(self, seconds: float) -> None:
        """Let that time pass at once."""
        self._skipped[:8] = struct.pack("d", self.skipped + seconds)

    def adjust(self, database: object) -> None:
        """It is nobody else's."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic() + self.skipped

    def nanoseconds(self) -> int:
        """The time since the epoch."""
        return time.time_ns() + int(self.skipped * 1e9)

    def now(self, zone: tzinfo | None = None) -> datetime:
        """The instant in a zone."""
        return datetime.now(zone) + timedelta(seconds=self.skipped)


def enter(world: World, patience: float) -> Traffic:
    """Live in that world from now on; `patience` is how long an answer is waited for really, in
    seconds, before time moves on."""
    from apscheduler.schedulers import base

    from postsched.cli import program
    from postsched.engine import clock

    there: Any = type("datetime", (datetime,), {"now": staticmethod(world.now)})
    modules: tuple[Any, ...] = (base, program, clock)
    for module in modules:
        module.datetime = there
    modules[-1].time = SimpleNamespace(monotonic=world.monotonic)
    traffic = Traffic()
    asyncio.set_event_loop_policy(_Policy(world, traffic, patience))
    return traffic


class Traffic:
    """What is under way in a process: requests, and work in threads."""

    def __init__(self) -> None:
        self.requests = 0
        self.works = 0


class _Policy(asyncio.DefaultEventLoopPolicy):
    """Gives loops that skip their waits."""

    def __init__(self, world: World, traffic: Traffic, patience: float) -> None:
        super().__init__()
        self._world, self._traffic, self._patience = world, traffic, patience

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return _Loop(self._world, self._traffic, self._patience)


class _Loop(asyncio.SelectorEventLoop):
    """The usual one, by the world's time."""

    def __init__(self, world: World, traffic: Traffic, patience: float) -> None:
        self._world, self._traffic = world, traffic
        super().__init__(_Selector(world, traffic, patience))

    def time(self) -> float:
        return self._world.monotonic()

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        self._traffic.works += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._worked)
        return future

    def _worked(self, future: object) -> None:
        self._traffic.works -= 1


class _Selector(selectors.DefaultSelector):
    """Skips a wait once nothing has come for a while and nothing is under way."""

    def __init__(self, world: World, traffic: Traffic, patience: float) -> None:
        super().__init__()
        self._world, self._traffic, self._patience = world, traffic, patience
        self._last = time.monotonic()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As of any selector."""
        wait = timeout
        if timeout is not None and timeout > 0 and not self._traffic.works:
            quiet = self._patience if self._traffic.requests else QUIET
            wait = min(timeout, max(0.0, self._last + quiet - time.monotonic()))
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(wait)
        if ready or self._traffic.works:
            self._last = time.monotonic()
        elif timeout is not None and wait is not None and wait < timeout:
            self._world.skip(timeout - wait)
        return ready


def environment(home: str, secret: str) -> Mapping[str, str]:
    """The environment of a process of postsched with a home of its own."""
    token = {"POSTSCHED_TOKEN_ME": secret} if secret else {}
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": home,
        "POSTSCHED_DB": f"{home}/matrix.db",
        "POSTSCHED_RETRY_DELAY": "5s",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "NO_PROXY": "*",
        "TZ": "UTC",
        **token,
    }
