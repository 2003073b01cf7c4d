"""What the machine did meanwhile, told by a bare process that does nothing but sleep and sync: how
much of the processors' time the host took for others (`steal`), how much too long a sleep of 5 ms
lasted, and how long the disk took to keep a page.

    python -m tests.benchmarks.machine FOLDER     ends with its stdin, and prints what it saw

Who measures lateness on a machine that stands still now and then measures the machine.
"""

from __future__ import annotations

import json
import math
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SLEEP = 0.005
"""Seconds that the bare process sleeps at a time."""
SYNC_EACH = 0.1
"""Seconds between two syncs: seldom enough that nobody waits for them."""
TOLD = ("overslept_p50", "overslept_p99", "fsync_p50", "fsync_p99")
STOLEN, OVERSLEPT, SYNCED = 0.05, 5.0, 50.0
"""From where on a machine counts as stalling: share of the time, milliseconds (p99), milliseconds
(p99)."""


@dataclass(frozen=True, slots=True)
class Machine:
    """`stolen` and `busy` are shares of the time of all processors: what the host took, and what
    programs here did; the others are milliseconds."""

    stolen: float
    busy: float
    overslept_p50: float
    overslept_p99: float
    fsync_p50: float
    fsync_p99: float

    @property
    def stalled(self) -> bool:
        """Whether it stood still so often that instants say little about a program."""
        return self.stolen > STOLEN or self.overslept_p99 > OVERSLEPT or self.fsync_p99 > SYNCED

    def document(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "stalled": self.stalled}


class Watch:
    """Watches until it is asked."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._before = ticks()

    def told(self) -> Machine:
        """What the machine did since; to be asked once. NaN for what the bare process did not live
        to tell."""
        said, _ = self._process.communicate(timeout=30)
        seen = json.loads(said) if said else dict.fromkeys(TOLD, math.nan)
        passed = {name: now - self._before[name] for name, now in ticks().items()}
        whole = max(1, sum(passed.values()))
        idle = passed["idle"] + passed["iowait"]
        return Machine(
            stolen=passed["steal"] / whole,
            busy=(whole - idle - passed["steal"]) / whole,
            **seen,
        )


@contextmanager
def watching() -> Iterator[Watch]:
    """The machine is watched."""
    command = [sys.executable, "-m", "tests.benchmarks.machine", tempfile.gettempdir()]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Watch(process)
        finally:
            process.kill()


def ticks() -> Mapping[str, int]:
    """What the processors did since the machine started, in hundredths of a second."""
    names = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return {name: int(value) for name, value in zip(names, fields, strict=False)}


def quantiles(name: str, values: list[float]) -> dict[str, float]:
    """p50 and p99 of milliseconds, by that name."""
    ordered = sorted(values) or [0.0]
    return {
        f"{name}_p{share}": round(ordered[min(len(ordered) - 1, len(ordered) * share // 100)], 3)
        for share in (50, 99)
    }


def main() -> None:
    """Sleep and sync until stdin ends, but once at least. Signals that end all of a terminal, or of
    a group, are not for this process: it is asked when the measuring has ended."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    overslept: list[float] = []
    synced: list[float] = []
    with tempfile.TemporaryFile(dir=sys.argv[1]) as file:
        next_sync, asked = time.perf_counter(), False
        while not asked:
            begun = time.perf_counter()
            time.sleep(SLEEP)
            ended = time.perf_counter()
            overslept.append((ended - begun - SLEEP) * 1e3)
            if ended >= next_sync:
                os.pwrite(file.fileno(), b"x" * 4096, 0)
                os.fsync(file.fileno())
                synced.append((time.perf_counter() - ended) * 1e3)
                next_sync = ended + SYNC_EACH
            asked = bool(select.select([sys.stdin], [], [], 0)[0])
    print(json.dumps(quantiles("overslept", overslept) | quantiles("fsync", synced)))


if __name__ == "__main__":
    main()
