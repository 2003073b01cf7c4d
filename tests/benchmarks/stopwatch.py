"""Where a thread's processor time goes, by part of the program: a profile function for each thread,
which counts what passes between two events, and not what it costs itself.

A function belongs to the part that its file is in, a built-in one to that of its type; what belongs
to none (the standard library, most of it) to the part that called it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType, FrameType, ModuleType
from typing import Any

REQUEST = "request and answer"
ADAPTER = "adapter"
ENGINE = "engine"
ROWS = "statements and rows"
SQLITE = "SQLite"
JSON = "JSON"
LOOP = "event loop"
NETWORK = "network"
THREADS = "from thread to thread"
APSCHEDULER = "APScheduler"
REST = "the rest"
PARTS = (
    ENGINE, ROWS, SQLITE, ADAPTER, REQUEST, JSON, NETWORK, LOOP, THREADS, APSCHEDULER, REST,
)  # fmt: skip
FILES = {
    "/postsched/transport/": REQUEST,
    "/httpx/": REQUEST,
    "/postsched/platforms/": ADAPTER,
    "/tests/benchmarks/floor.py": ADAPTER,
    "/postsched/store/": ROWS,
    "/sqlalchemy/": ROWS,
    "/postsched/": ENGINE,
    "/apscheduler/": APSCHEDULER,
    "/json/": JSON,
    "/asyncio/": LOOP,
    "/selectors.py": LOOP,
    "/concurrent/futures/": THREADS,
    "/threading.py": THREADS,
}
"""By what their path contains; the first that fits."""
BUILT_IN = {
    "sqlite3": SQLITE,
    "_sqlite3": SQLITE,
    "_json": JSON,
    "json": JSON,
    "socket": NETWORK,
    "_socket": NETWORK,
    "select": LOOP,
    "_asyncio": LOOP,
    "_thread": THREADS,
    "_queue": THREADS,
    "httptools": REQUEST,
    "sqlalchemy": ROWS,
}
"""By the first name of the module of their type."""
Spent = dict[str, list[int]]
"""By part: nanoseconds, calls."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What a thread spent in each part."""

    nanoseconds: Mapping[str, float]
    calls: Mapping[str, int]


class Stopwatch:
    """Watches this thread, and those that start from now on."""

    def __init__(self) -> None:
        self._threads: dict[str, Spent] = {}
        self._codes: dict[CodeType, str | None] = {}

    def start(self) -> None:
        """From now on."""
        threading.setprofile(self._begin)
        sys.setprofile(self._watcher(threading.current_thread().name))

    def reset(self) -> None:
        """Forget what was before."""
        for spent in self._threads.values():
            spent.clear()

    def read(self) -> dict[str, Watched]:
        """What each thread spent since; the calls of the watching taken off."""
        toll = _toll()
        return {
            name: Watched(
                {part: max(0.0, time - toll * calls) for part, (time, calls) in spent.items()},
                {part: calls for part, (_, calls) in spent.items()},
            )
            for name, spent in ((one, dict(of_it)) for one, of_it in self._threads.items())
        }

    def _begin(self, frame: FrameType, kind: str, arg: Any) -> None:
        """The first event of a thread."""
        sys.setprofile(self._watcher(threading.current_thread().name))

    def _watcher(self, name: str) -> Callable[[FrameType, str, Any], None]:
        spent = self._threads.setdefault(name, {})
        return watcher(spent, self._codes)


def watcher(
    spent: Spent, codes: dict[CodeType, str | None]
) -> Callable[[FrameType, str, Any], None]:
    """A profile function of one thread, that counts into `spent`."""
    clock = time.thread_time_ns
    above: list[str] = []
    part, last = REST, clock()

    def passed(frame: FrameType, kind: str, arg: Any) -> None:
        nonlocal part, last
        now = clock()
        entry = spent.get(part)
        if entry is None:
            entry = spent[part] = [0, 0]
        entry[0] += now - last
        if kind.endswith("call"):
            entry[1] += 1
            above.append(part)
            if kind == "call":
                code = frame.f_code
                found = codes[code] if code in codes else codes.setdefault(code, part_of(code))
            else:
                found = part_of_built_in(arg)
            part = found or part
        else:
            part = above.pop() if above else REST
        last = clock()

    return passed


def part_of(code: CodeType) -> str | None:
    """The part of a function, None where it is that of its caller."""
    place = code.co_filename.replace("\\", "/")
    return next((part for piece, part in FILES.items() if piece in place), None)


def part_of_built_in(function: Any) -> str | None:
    """The part of a built-in function or method."""
    owner = getattr(function, "__self__", None)
    name = owner.__name__ if isinstance(owner, ModuleType) else type(owner).__module__
    return BUILT_IN.get(name.partition(".")[0])


def _toll(times: int = 20_000) -> float:
    """Nanoseconds that a call seems to take longer because it is watched: what is between two
    events, and is not the program's."""
    spent: Spent = {}

    def nothing() -> None:
        return

    before = time.thread_time_ns()
    for _ in range(times):
        nothing()
    bare = time.thread_time_ns() - before
    held = sys.getprofile()
    sys.setprofile(watcher(spent, {}))
    for _ in range(times):
        nothing()
    sys.setprofile(held)
    return max(0.0, (sum(one for one, _ in spent.values()) - bare) / times)
