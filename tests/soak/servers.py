"""Workers on hosts of their own and one PostgreSQL, and what happens to them and in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Self

from tests.servers.between import COMMIT, Lost
from tests.servers.postmaster import Postmaster
from tests.soak.town import Town

PAUSE = 0.5, 4.0
"""Seconds from one trouble to the next, at the least and at the most."""
ASLEEP = 11.0, 14.0
"""Seconds for which a worker is stopped: longer than its claims hold."""
PATIENCE = 60.0
"""Seconds in which a worker ends that is asked to."""


class Hosts:
    """Daemons on the database `url`, each with a home of its own, so that none can tell whether
    another lives. `killed` are the process ids with the wall time (seconds) of their end."""

    def __init__(self, town: Town, count: int, url: str) -> None:
        self._town = town
        self._url = url
        self._living: list[subprocess.Popen[bytes]] = []
        self._asleep: dict[int, float] = {}
        """By place: when it is to wake (monotonic)."""
        self._count = count
        self.killed: dict[int, float] = {}
        self.ended: Counter[int] = Counter()
        """How daemons ended that nobody had asked to, by exit code."""

    def __enter__(self) -> Self:
        self._living = [self._start(place) for place in range(self._count)]
        return self

    def __exit__(self, *exc: object) -> None:
        for process in self._living:
            process.kill()
            process.wait()

    def _start(self, place: int) -> subprocess.Popen[bytes]:
        home = self._town.home / f"host{place}"
        home.mkdir(exist_ok=True)
        with (self._town.home / f"log{place}").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "postsched", "run", "--no-live"],
                env={**self._town.environment, "HOME": str(home), "POSTSCHED_DB": self._url},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def look_after(self) -> None:
        """Start who is gone, wake who has slept."""
        for place, at in list(self._asleep.items()):
            if time.monotonic() >= at:
                del self._asleep[place]
                self._living[place].send_signal(signal.SIGCONT)
        for place, process in enumerate(self._living):
            if (code := process.poll()) is not None:
                if process.pid not in self.killed:
                    self.ended[code] += 1
                self._living[place] = self._start(place)

    def strike(self, rng: Random, what: str) -> None:
        """Send that signal to one that is awake."""
        awake = [n for n in range(self._count) if n not in self._asleep]
        if not awake:
            return
        place = rng.choice(awake)
        process = self._living[place]
        self._town.note(f"{what} to {process.pid} on host {place}")
        if what != "SIGSTOP":
            self.killed[process.pid] = time.time()
        if what == "SIGSTOP":
            self._asleep[place] = time.monotonic() + rng.uniform(*ASLEEP)
        process.send_signal(getattr(signal, what))

    def stop(self) -> list[float]:
        """All end in order; the seconds that each took. AssertionError for one that does not."""
        begun = time.monotonic()
        for process in self._living:
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
        took = []
        for process in self._living:
            code = process.wait(PATIENCE)
            took.append(time.monotonic() - begun)
            assert code in (0, -signal.SIGTERM), f"one ended with {code}"
        return took


class Troubles:
    """Does something to the server, the connections or the daemons, again and again, in a thread of
    its own until it is left."""

    def __init__(self, town: Town, hosts: Hosts, server: Postmaster, rng: Random) -> None:
        self._town, self._hosts, self._server, self._rng = town, hosts, server, rng
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on)
        self.done: Counter[str] = Counter()
        self.away: list[tuple[float, float]] = []
        """When the database could not be used, in wall time."""
        self.failed: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join()

    def _go_on(self) -> None:
        try:
            while not self._over.wait(self._rng.uniform(*PAUSE)):
                self._hosts.look_after()
                name, act = self._rng.choice(self._all())
                self.done[name] += 1
                self._town.note(name)
                act()
        except Exception as error:  # noqa: BLE001 - told by the one who started it
            self.failed = error
        finally:
            self._server.between.forget()
            self._server.between.flow()

    def _all(self) -> list[tuple[str, Callable[[], None]]]:
        between, strike, rng = self._server.between, self._hosts.strike, self._rng
        return [
            *[("kill", lambda: strike(rng, "SIGKILL"))] * 4,
            ("end", lambda: strike(rng, "SIGTERM")),
            ("sleep", lambda: strike(rng, "SIGSTOP")),
            ("restart fast", lambda: self._restart("fast")),
            ("restart immediate", lambda: self._restart("immediate")),
            ("stall", lambda: self._while(between.stall, 0.2, 12.0)),
            ("refuse", lambda: self._while(self._close, 0.2, 4.0)),
            ("delay", lambda: self._while(lambda: between.delay(rng.uniform(0.001, 0.05)), 1, 4)),
            ("freeze", between.freeze),
            *[("reset", between.reset)] * 2,
            ("cut", lambda: between.cut_after(rng.randrange(2000))),
            *[("commit lost", lambda: between.lose(Lost(COMMIT)))] * 4,
            ("commit unsent", lambda: between.lose(Lost(COMMIT, reaches=False))),
            ("commit hangs", lambda: between.lose(Lost(COMMIT, hangs=True))),
        ]  # fmt: skip

    def _close(self) -> None:
        self._server.between.refuse()
        self._server.between.reset()

    def _while(self, begin: Callable[[], object], least: float, most: float) -> None:
        since = time.time()
        begin()
        self._over.wait(self._rng.uniform(least, most))
        self._server.between.flow()
        self.away.append((since, time.time()))

    def _restart(self, mode: str) -> None:
        since = time.time()
        self._server.stop(mode)
        self._over.wait(self._rng.choice((0.0, self._rng.uniform(0, 5))))
        self._server.start()
        self.away.append((since, time.time()))


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has taken."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
