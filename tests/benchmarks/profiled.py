"""A burst in a process that watches itself: the engine, or the floor.

    python -m tests.benchmarks.profiled ours|floor plain|parts ORDER HOME

Says `ready`, and then waits on stdin for `begin` and `end`; prints JSON at the end: by thread,
seconds of processor time in between, and (`parts`) what each part of the program took.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from postsched.config import load
from postsched.engine.assembly import assemble
from postsched.engine.clock import SystemClock
from postsched.engine.scheduler import run
from postsched.secrets import Secrets
from postsched.store.opening import open_database
from postsched.transport import Transport, warm
from tests.benchmarks.floor import Bare
from tests.benchmarks.order import Order
from tests.benchmarks.stopwatch import Stopwatch


def by_thread() -> dict[str, float]:
    """Seconds of processor time of each thread of this process, by its name."""
    spent: dict[str, float] = {}
    for thread in threading.enumerate():
        try:
            stat = Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text()
        except OSError:  # it has just ended
            continue
        spent[thread.name] = spent.get(thread.name, 0.0) + int(stat.split()[0]) / 1e9
    return spent


def observe(watch: Stopwatch | None, done: threading.Event) -> None:
    """Do as stdin says; in a thread of its own."""
    sys.stdin.readline()  # begin
    before = by_thread()
    if watch:
        watch.reset()
    sys.stdin.readline()  # end
    spent = {name: now - before.get(name, 0.0) for name, now in by_thread().items()}
    told: dict[str, Any] = {"threads": spent, "parts": {}}
    if watch:
        told["parts"] = {name: asdict(one) for name, one in watch.read().items()}
    print(json.dumps(told), flush=True)
    done.set()


async def ours(home: Path, over: asyncio.Event) -> None:
    """The engine over the database of that home."""
    settings = load(None, str(home / "bench.db"), os.environ)
    database = open_database(settings.database)
    secrets, chance = Secrets(os.environ, False), random.Random(1)
    engine = assemble(database, settings, secrets, SystemClock(), chance, "run")
    await run(engine, stop=over, started=lambda: print("ready", flush=True))


async def floor(order: Order, over: asyncio.Event) -> None:
    """The bare loop."""
    transport = Transport(30.0)
    await warm()
    print("ready", flush=True)
    await Bare(order, transport).all_at_once()
    await over.wait()
    await transport.close()


async def main() -> None:
    """Carry out the order."""
    who, how, place, home = sys.argv[1:]
    loop, over, done = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    watch = Stopwatch() if how == "parts" else None

    def watched() -> None:
        observe(watch, done)
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=watched, daemon=True, name="observer").start()
    if watch:
        watch.start()
    order = Order.read(Path(place))
    await (ours(Path(home), over) if who == "ours" else floor(order, over))


if __name__ == "__main__":
    asyncio.run(main())
