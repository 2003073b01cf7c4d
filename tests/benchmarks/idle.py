"""What an idle daemon costs: statements sent to the database, and processor time.

    python -m tests.benchmarks.idle [--backlog 1000] [--seconds 60] [--check]

Goal, in 60 s with 1,000 posts scheduled: 0 statements, under 0.02 s of processor time.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from tests.benchmarks.setting import account, desk, environment, fill


async def observed(home: Path, seconds: float) -> tuple[int, float]:
    """Run an engine; statements and processor seconds in the span after it has settled."""
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
    engine = assemble(
        at.database, at.settings, secrets, SystemClock(), random.Random(1), "run"
    )  # fmt: skip
    stop = asyncio.Event()
    running = asyncio.create_task(run(engine, stop=stop))
    await asyncio.sleep(3)
    before, cpu = statements, time.process_time()
    await asyncio.sleep(seconds)
    result = statements - before, time.process_time() - cpu
    stop.set()
    await running
    return result


def main() -> int:
    """Measure and print; with --check, 1 if a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backlog", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.home:
        print(*asyncio.run(observed(given.home, given.seconds)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        at = desk(Path(folder))
        later = at.now() + timedelta(days=30)
        fill(at, account(at, "http://127.0.0.1:9"),
             [later + timedelta(minutes=n) for n in range(given.backlog)])  # fmt: skip
        at.database.close()
        command = [sys.executable, "-m", "tests.benchmarks.idle", "--home", folder,
                   "--seconds", str(given.seconds)]  # fmt: skip
        answer = subprocess.run(
            command, env=environment(Path(folder)), capture_output=True, text=True, check=True
        )
    statements, cpu = answer.stdout.split()
    print(f"{given.seconds:.0f} s idle over {given.backlog} posts: {statements} statements, "
          f"{float(cpu) * 1000:.1f} ms of processor time")  # fmt: skip
    good = statements == "0" and float(cpu) / given.seconds * 60 < 0.02
    print("goal reached" if good else "goal missed")
    return 0 if good or not given.check else 1


if __name__ == "__main__":
    sys.exit(main())
