"""Who is measured: postsched, the bare loop below it, and (in `peers`) others that do the same."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from postsched.domain.account import Account
from postsched.service.desk import Desk
from postsched.store import accounts as account_rows
from tests.benchmarks.order import Order
from tests.benchmarks.setting import account, desk, environment, fill

PATIENCE = 60.0
"""Seconds in which a process is up."""
ENDING = 30.0
"""Seconds that a process gets to end in order."""


@dataclass(frozen=True, slots=True)
class Backing:
    """A server that jobs are kept in: its address, and its process."""

    url: str
    pid: int


class Contender(ABC):
    """Carries out orders. `name` is what the table calls it; `lead` and `lead_each` are seconds
    that it needs to plan and to start: in all, and for each post. One that is `slow` is measured
    once, and with less; `deepest` is how many posts it can be given to keep in reasonable time."""

    name: str
    lead = 4.0
    lead_each = 0.0
    slow = False
    deepest = 10**9

    def missing(self) -> str | None:
        """Why it can't be measured here, None if it can."""
        return None

    def backing(self, folder: Path) -> AbstractContextManager[Backing | None]:
        """The server it needs, up until the end."""
        return nullcontext()

    def keep(self, order: Order, folder: Path, backing: Backing | None) -> None:
        """Plan posts that are not due for long, before any that are."""
        return

    @abstractmethod
    def working(
        self, order: Order, folder: Path, backing: Backing | None
    ) -> AbstractContextManager[list[int]]:
        """All is planned, and it is up, until the end. Gives the processes that it costs."""

    def expect_recorded(self, order: Order, folder: Path, backing: Backing | None) -> None:
        """Raise AssertionError unless it has noted durably that all was sent."""
        return


@dataclass(frozen=True, slots=True)
class Running:
    """A process, and where it says what it does."""

    started: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """Its number."""
        return self.started.pid

    def said(self) -> str:
        """All it said."""
        return self.log.read_text(errors="replace")

    def expect(self, sign: str) -> None:
        """Wait until it has said `sign`."""
        deadline = time.monotonic() + PATIENCE
        while sign not in self.said():
            said = f"{self.started.args!r}: {self.said()[-2000:]}"
            assert self.started.poll() is None, f"it ended: {said}"
            assert time.monotonic() < deadline, f"it does not start: {said}"
            time.sleep(0.02)


@contextmanager
def process(
    command: Sequence[str], folder: Path, sign: str, environ: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """A process that has said `sign` in its log. Ended at the end."""
    with starting(command, folder, environ) as running:
        running.expect(sign)
        yield running


@contextmanager
def starting(
    command: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """A process that need not be up yet. Ended at the end."""
    log = Path(tempfile.mkstemp(".log", dir=folder)[1])
    with log.open("wb") as out, subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=out, stderr=out, env=environ
    ) as started:  # fmt: skip
        try:
            yield Running(started, log)
        finally:
            started.terminate()
            try:
                started.wait(ENDING)
            except subprocess.TimeoutExpired:
                started.kill()


class Floor(Contender):
    """Nothing but the requests, by the same client."""

    name = "bare loop"
    lead = 3.0
    options: tuple[str, ...] = ()

    @contextmanager
    def working(self, order: Order, folder: Path, backing: Backing | None) -> Iterator[list[int]]:
        """The bare loop."""
        command = [sys.executable, "-m", "tests.benchmarks.floor", str(order.write(folder))]
        command += self.options
        with process(command, folder, "ready", {**os.environ, "NO_PROXY": "*"}) as bare:
            yield [bare.pid]


class Stock(Floor):
    """Nothing but the requests, by httpx's own client."""

    name = "bare loop, httpx's own client"
    options = ("--stock",)


class Postsched(Contender):
    """`postsched run` on SQLite, as it is installed."""

    name = "postsched"
    lead_each = 0.0005

    def keep(self, order: Order, folder: Path, backing: Backing | None) -> None:
        """Written as an import writes them."""
        at = desk(folder)
        fill(at, account(at, order.url), order.instants)
        at.database.close()

    @contextmanager
    def working(self, order: Order, folder: Path, backing: Backing | None) -> Iterator[list[int]]:
        """The daemon, with the posts in its database."""
        at = desk(folder)
        fill(at, _account(at, order.url), order.instants)
        at.database.close()
        with running(folder, order.concurrency) as pid:
            yield [pid]

    def expect_recorded(self, order: Order, folder: Path, backing: Backing | None) -> None:
        """Every delivery is published, and has its attempt."""
        expect_published(folder, len(order.dues))


def _account(at: Desk, url: str) -> Account:
    """The one that is there, else a new one."""
    with at.database.read() as connection:
        known = list(account_rows.every(connection))
    return known[0] if known else account(at, url)


@contextmanager
def running(folder: Path, concurrency: int = 10, **more: str) -> Iterator[int]:
    """`postsched run` in that home, up and listening; its process id."""
    with all_running([folder], concurrency, **more) as (pid,):
        yield pid


@contextmanager
def all_running(folders: Sequence[Path], concurrency: int, **more: str) -> Iterator[list[int]]:
    """The same in each of the homes, started at once."""
    command = [sys.executable, "-m", "postsched", "run", "--no-live"]
    more |= {
        "POSTSCHED_CONCURRENCY": str(concurrency),
        "POSTSCHED_CONCURRENCY_TOTAL": str(max(50, concurrency)),
    }
    with ExitStack() as stack:
        daemons = [
            stack.enter_context(starting(command, folder, environment(folder, **more)))
            for folder in folders
        ]
        for daemon in daemons:
            daemon.expect("running")
        yield [daemon.pid for daemon in daemons]


def expect_published(folder: Path, posts: int, database: str | None = None) -> None:
    """Raise AssertionError unless so many deliveries are published within a few seconds."""
    at = desk(folder, database)
    deadline = time.monotonic() + 10
    query = "SELECT count(*) FROM deliveries WHERE status = 'published'"
    try:
        while True:
            with at.database.read() as connection:
                found = connection.exec_driver_sql(query).scalar_one()
            if found == posts:
                return
            assert time.monotonic() < deadline, f"{found} of {posts} are recorded as published"
            time.sleep(0.1)
    finally:
        at.database.close()
