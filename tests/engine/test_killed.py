"""A worker of this machine that is killed: what it held is taken over at once, not when its claim
runs out after two minutes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from postsched import wakeup
from postsched.domain.delivery import DeliveryStatus
from postsched.engine.scheduler import run
from postsched.engine.worker import is_alive
from postsched.store import outlook, workers
from postsched.testing import FakePlatform
from tests.engine.conftest import MakeRig
from tests.engine.rig import Rig, play, until
from tests.store import rows

S = DeliveryStatus
HERE = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not wakeup.FIFO, reason="this system has no FIFOs")


@contextmanager
def victim(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A worker in a process of its own, up."""
    command = [sys.executable, "-m", "tests.engine.victim", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "up\n"
            yield process
        finally:
            process.kill()


@pytest.fixture
def rig(make: MakeRig) -> Rig:
    return make(platforms={"fake": FakePlatform()}, clock=None)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("running", [True, False], ids=["by one that runs", "by the next"])
def test_it_is_taken_over_at_once(rig: Rig, tmp_path: Path, running: bool) -> None:
    me = rig.account()
    due = rig.clock.now() + timedelta(seconds=1)
    delivery = rig.post("Hello", me, due)

    async def scene() -> None:
        stop, up = asyncio.Event(), asyncio.Event()
        with victim(tmp_path) as process:
            assert await asyncio.to_thread(line, process) == f"sending {delivery}"
            if running:
                daemon = asyncio.create_task(run(rig.engine(), stop=stop, started=up.set))
                await up.wait()
                await asyncio.sleep(0.2)
                assert rig.delivery(delivery).status is S.PUBLISHING
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        killed = time.monotonic()
        if not running:
            daemon = asyncio.create_task(run(rig.engine(), stop=stop, started=up.set))
        await until(lambda: rig.delivery(delivery).status is S.PUBLISHED, 20)
        assert time.monotonic() - killed < 15
        stop.set()
        await daemon

    play(scene, 60)
    assert rig.delivery(delivery).attempts == 1
    assert wakeup.marks(rig.bells) == []


@pytest.mark.slow
def test_one_that_is_only_stopped_is_not_taken_over(rig: Rig, tmp_path: Path) -> None:
    """It lives: its claim has to run out."""
    delivery = rig.post("Hello", rig.account(), rig.clock.now())

    async def scene() -> None:
        with victim(tmp_path) as process:
            assert await asyncio.to_thread(line, process) == f"sending {delivery}"
            process.send_signal(signal.SIGSTOP)
            stop, up = asyncio.Event(), asyncio.Event()
            daemon = asyncio.create_task(run(rig.engine(), stop=stop, started=up.set))
            await up.wait()
            await asyncio.sleep(1.5)
            assert rig.delivery(delivery).status is S.PUBLISHING
            stop.set()
            await daemon

    play(scene, 60)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "step"),
    [(7, 60), *(pytest.param(n, 9, marks=pytest.mark.slow) for n in range(1, 10))],
)
def test_one_that_is_killed_while_it_takes_over_leaves_no_riddle(
    tmp_path: Path, first: int, step: int
) -> None:
    """Whatever it was about to do with the database: who holds anything is known to be dead, and
    the next one takes over at once."""
    command = [sys.executable, "-m", "tests.engine.heirs", str(tmp_path), str(first), str(step)]
    through = int(subprocess.run(command, capture_output=True, text=True, cwd=HERE).stdout)
    assert through > 30
    for number in range(first, through, step):
        rig = Rig(tmp_path / str(number), {"fake": FakePlatform()})
        with rig.database.read() as connection:
            held = {w for w in workers.every(connection) if outlook.holds_any(connection, w.id)}
        assert {is_alive(worker, rig.bells) for worker in held} <= {False}, number
        play(partial(run, rig.engine(), until_idle=True))
        (delivery,) = rows.every(rig.database)
        assert delivery.status is S.PUBLISHED, number
        rig.close()
