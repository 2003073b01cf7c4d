"""The peers as contenders: a server behind them, a process that plans, a process that works."""

from __future__ import annotations

import os
import subprocess
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.benchmarks.contenders import Backing, Contender, process
from tests.benchmarks.order import Order
from tests.benchmarks.peers.backing import postgres, redis
from tests.benchmarks.peers.installation import (
    BULLMQ,
    first,
    no_postgres,
    no_python,
    no_redis,
    python,
)

PLANNING = 90.0
"""Seconds in which an order is planned."""
SCRIPT = Path(__file__).with_name("bullmq.mjs")


class Peer(Contender):
    """`lacks` says why it can't be had."""

    lead = 6.0
    lead_each = 0.0015
    lacks: tuple[Callable[[], str | None], ...] = ()

    def missing(self) -> str | None:
        """The first thing that is not there."""
        return first(*self.lacks)

    @abstractmethod
    def command(self, verb: str, order: Path, backing: str) -> Sequence[str]:
        """The command that plans (`enqueue`) or works (`work`)."""

    def keep(self, order: Order, folder: Path, backing: Backing | None) -> None:
        """Planned by a process that ends then."""
        plan = self.command("enqueue", order.write(folder), _url(folder, backing))
        with (folder / "planning.log").open("wb") as log:
            subprocess.run(
                plan, check=True, env=_environ(), timeout=PLANNING, stdout=log, stderr=log
            )

    @contextmanager
    def working(self, order: Order, folder: Path, backing: Backing | None) -> Iterator[list[int]]:
        """Planned by one process, carried out by another."""
        self.keep(order, folder, backing)
        work = self.command("work", order.write(folder), _url(folder, backing))
        with process(work, folder, "ready", _environ()) as worker:
            yield [worker.pid, *([backing.pid] if backing else [])]


def _environ() -> dict[str, str]:
    return {**os.environ, "NO_PROXY": "*"}


def _url(folder: Path, backing: Backing | None) -> str:
    return backing.url if backing else f"sqlite:///{folder / 'jobs.db'}"


class Python(Peer):
    """A peer in Python: `module` beside this one is its script."""

    lacks: tuple[Callable[[], str | None], ...] = (no_python,)
    module: str

    def command(self, verb: str, order: Path, backing: str) -> Sequence[str]:
        """The module, in the environment of the peers."""
        return [python(), "-m", f"tests.benchmarks.peers.{self.module}", verb, str(order), backing]


class APScheduler(Python):
    """APScheduler with its own job store, on SQLite."""

    name, module = "APScheduler", "with_apscheduler"
    slow, deepest = True, 10_000


class Celery(Python):
    """Celery on Redis: an ETA for each task, a pool of threads, results kept."""

    name, module = "Celery", "with_celery"
    slow, deepest = True, 1_000  # its worker takes all that waits first, 20 s for 10,000
    lacks = (no_python, no_redis)

    def backing(self, folder: Path) -> AbstractContextManager[Backing | None]:
        """Redis."""
        return redis(folder)


class Procrastinate(Python):
    """procrastinate on PostgreSQL, as it comes: it looks for scheduled jobs every 5 s."""

    name, module = "procrastinate", "with_procrastinate"
    slow, deepest = True, 10_000
    lacks = (no_python, no_postgres)

    def backing(self, folder: Path) -> AbstractContextManager[Backing | None]:
        """PostgreSQL."""
        return postgres(folder)


class BullMQ(Peer):
    """BullMQ on Redis: a delay for each job."""

    lead_each = 0.001
    name = "BullMQ"
    lacks = (BULLMQ.missing, no_redis)

    def backing(self, folder: Path) -> AbstractContextManager[Backing | None]:
        """Redis."""
        return redis(folder)

    def command(self, verb: str, order: Path, backing: str) -> Sequence[str]:
        """Its script, by the Node beside it."""
        return [BULLMQ.node, str(SCRIPT), str(BULLMQ.home), verb, str(order), backing]


def peers() -> list[Peer]:
    """All of them."""
    return [BullMQ(), Celery(), Procrastinate(), APScheduler()]
