"""What a minute costs in which nothing is due: processor time of everything that has to run, and
the statements that postsched sends to its database."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from tests.benchmarks import cost
from tests.benchmarks.contenders import Contender, Postsched
from tests.benchmarks.figures import Figure, below
from tests.benchmarks.order import Order, later
from tests.benchmarks.playing import open_to_all
from tests.benchmarks.run import Run
from tests.benchmarks.setting import account, desk, environment, fill

BACKLOG = 1000
SETTLING = 5.0
"""Seconds after which a process has done what it does at its start."""
NOWHERE = "http://127.0.0.1:9"


def measure(run: Run) -> None:
    """All contenders side by side: they are idle, so they don't disturb each other."""
    waiting: list[Contender] = [Postsched(), *run.peers]
    seconds = run.size.idle
    spent: dict[str, float] = {}
    with ExitStack() as stack:
        families: dict[str, list[int]] = {}
        for one in run.rng.sample(waiting, len(waiting)):
            family = run.attempt(one, partial(stack.enter_context, _idle(one)))
            if family:
                families[one.name] = family
        counting = stack.enter_context(_counting(seconds))
        time.sleep(SETTLING)
        before = {name: cost.cpu(pids) for name, pids in families.items()}
        time.sleep(seconds)
        for name, pids in families.items():
            spent[name] = (cost.cpu(pids) - before[name]) * 1e3 * 60 / seconds
        statements = int(counting.communicate(timeout=60)[0])
    for name, value in spent.items():
        run.note(name, idle=value)
    ours = spent["postsched"]
    run.figures += [
        Figure("idle minute: statements", "", statements, goal=below(0)),
        Figure("idle minute: CPU", "ms", ours, goal=below(20)),
        *(
            Figure("idle minute: CPU", "ms", ours, one.name, spent[one.name])
            for one in run.peers
            if one.name in spent
        ),
    ]


@contextmanager
def _idle(one: Contender) -> Iterator[list[int]]:
    """That contender, up, with posts that are due in a month."""
    order = Order(NOWHERE, later(BACKLOG), 10)
    with (
        tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as place,
        one.backing(folder := open_to_all(place)) as backing,
        one.working(order, folder, backing) as family,
    ):
        yield family


@contextmanager
def _counting(seconds: float) -> Iterator[subprocess.Popen[str]]:
    """An engine that counts its statements for so long, and prints how many they were."""
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        at = desk(Path(place))
        fill(at, account(at, NOWHERE), Order(NOWHERE, later(BACKLOG), 10).instants)
        at.database.close()
        command = [sys.executable, "-m", "tests.benchmarks.parts.idle", place, str(seconds)]
        with subprocess.Popen(
            command, env=environment(Path(place)), stdout=subprocess.PIPE, text=True
        ) as process:
            yield process


async def observed(home: Path, seconds: float) -> int:
    """Run an engine in this process; how many statements it sends once it has settled."""
    from sqlalchemy import event

    from postsched.engine.assembly import assemble
    from postsched.engine.clock import SystemClock
    from postsched.engine.scheduler import run
    from postsched.secrets import Secrets

    at = desk(home)
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    event.listen(at.database.engine, "before_cursor_execute", count)
    secrets = Secrets(os.environ, False)
    chance = random.Random(1)
    engine = assemble(at.database, at.settings, secrets, SystemClock(), chance, "run")
    stop = asyncio.Event()
    running = asyncio.create_task(run(engine, stop=stop))
    await asyncio.sleep(3)
    before = statements
    await asyncio.sleep(seconds)
    result = statements - before
    stop.set()
    await running
    return result


if __name__ == "__main__":
    print(asyncio.run(observed(Path(sys.argv[1]), float(sys.argv[2]))))
