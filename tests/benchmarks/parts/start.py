"""How long the daemon takes from its last import until it listens.

    python -m tests.benchmarks.parts.start HOME

prints milliseconds, and how many of them were processor time. It starts over an empty database
first, and stops: what is imported at the first use is then there.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from postsched.engine.assembly import assemble
from postsched.engine.clock import SystemClock
from postsched.engine.scheduler import run
from postsched.secrets import Secrets
from tests.benchmarks.setting import desk, environment


def started(home: Path) -> tuple[float, float]:
    """Milliseconds over the database of that home, in a process of its own; and those of processor
    time."""
    command = [sys.executable, "-m", "tests.benchmarks.parts.start", str(home)]
    answer = subprocess.run(
        command, env=environment(home), stdout=subprocess.PIPE, text=True, check=True, timeout=120
    )
    took, spent = map(float, answer.stdout.split())
    return took, spent


async def start(home: Path) -> tuple[float, float]:
    """Milliseconds from opening the database until it listens; then it stops."""
    stop = asyncio.Event()
    begun, before = time.perf_counter(), time.process_time()
    took = spent = 0.0

    def listening() -> None:
        nonlocal took, spent
        took = (time.perf_counter() - begun) * 1e3
        spent = (time.process_time() - before) * 1e3
        stop.set()

    at = desk(home)
    secrets = Secrets(os.environ, False)
    chance = random.Random(1)
    engine = assemble(at.database, at.settings, secrets, SystemClock(), chance, "run")
    await run(engine, stop=stop, started=listening)
    return took, spent


async def main() -> None:
    """Once in vain, once in earnest."""
    with tempfile.TemporaryDirectory() as empty:
        await start(Path(empty))
    print(*await start(Path(sys.argv[1])))


if __name__ == "__main__":
    asyncio.run(main())
