"""Workers on one PostgreSQL, and a network that takes 20 ms to answer: what each of them adds.

Each has a home of its own, as on a host of its own; all of them, PostgreSQL and the network share
the cores of this machine, so what they took of these is told too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

from tests.benchmarks.contenders import Backing, Contender, all_running, expect_published
from tests.benchmarks.figures import Figure, at_least
from tests.benchmarks.order import Order
from tests.benchmarks.peers.backing import postgres
from tests.benchmarks.peers.installation import no_postgres
from tests.benchmarks.playing import Played, play_burst
from tests.benchmarks.run import Run, say
from tests.benchmarks.setting import account, desk, fill

DELAY = 0.02
"""Seconds to an answer."""
CONCURRENCY = 10
GROWTH = {2: 1.8, 4: 3.2}
"""How many times as much so many workers are to do as one."""


class Workers(Contender):
    """So many `postsched run` on one database."""

    lead = 8.0
    lead_each = 0.001

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.lead += 1.0 * workers  # they share the cores while they start
        self.name = f"PostgreSQL, {workers} worker{'s' if workers > 1 else ''}"

    def missing(self) -> str | None:
        """PostgreSQL."""
        return no_postgres()

    def backing(self, folder: Path) -> AbstractContextManager[Backing | None]:
        """PostgreSQL."""
        return postgres(folder)

    @contextmanager
    def working(self, order: Order, folder: Path, backing: Backing | None) -> Iterator[list[int]]:
        """The posts are in the database, the workers up; PostgreSQL is the last of them."""
        assert backing is not None
        at = desk(folder, backing.url)
        fill(at, account(at, order.url), [datetime.fromtimestamp(due, UTC) for due in order.dues])
        at.database.close()
        homes = [folder / f"host{n}" for n in range(self.workers)]
        for home in homes:
            home.mkdir()
        with all_running(homes, order.concurrency, POSTSCHED_DB=backing.url) as pids:
            yield [*pids, backing.pid]

    def expect_recorded(self, order: Order, folder: Path, backing: Backing | None) -> None:
        """Every delivery is published."""
        assert backing is not None
        expect_published(folder, len(order.dues), backing.url)


def measure(run: Run) -> None:
    """One, two and four workers."""
    crowd: list[Contender] = [Workers(1), *(Workers(count) for count in GROWTH)]
    if reason := crowd[0].missing():
        say(f"workers are left out: {reason}")
        return
    came: dict[str, list[Played]] = {}
    try:
        for one in run.shuffled(crowd):
            played = run.attempt(one, partial(play_burst, one, run.size.shared, CONCURRENCY, DELAY))
            came.setdefault(one.name, []).append(played)
    finally:
        _tell(run, came)


def _tell(run: Run, came: dict[str, list[Played]]) -> None:
    """How much more several did than one, as far as they came."""
    rates = {name: median(p.rate for p in plays) for name, plays in came.items()}
    one = Workers(1).name
    if one in rates:
        ideal = CONCURRENCY / DELAY
        run.figures.append(Figure(one, "posts/s", rates[one], "ideal", ideal))
        for count, growth in GROWTH.items():
            if (name := Workers(count).name) in rates:
                goal = at_least(growth)
                run.figures.append(
                    Figure(name, "posts/s", rates[name], "1 worker", rates[one], goal)
                )
    for name in (Workers(count).name for count in (1, *GROWTH)):
        if name in came:
            run.figures += _costs(name, came[name])


def _costs(name: str, plays: list[Played]) -> list[Figure]:
    """What they took of the cores, and of that, PostgreSQL."""
    whole, server = (
        median(costs) for costs in zip(*((p.cpu, p.costs[-1]) for p in plays), strict=True)
    )
    busy = median(p.cpu * p.rate / 1e3 for p in plays)
    return [
        Figure(f"{name}: CPU a post", "ms", whole),
        Figure(f"{name}: of it PostgreSQL", "ms", server),
        Figure(f"{name}: cores busy, of {os.cpu_count()}", "", busy),
    ]
