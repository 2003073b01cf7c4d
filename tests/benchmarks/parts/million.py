"""A million posts scheduled: how fast they are imported, and whether anything is slower with them
than without."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.benchmarks import cost
from tests.benchmarks.backlog import called, made, spent_by_children
from tests.benchmarks.contenders import running
from tests.benchmarks.figures import Figure, above, at_most, below
from tests.benchmarks.parts.start import started
from tests.benchmarks.parts.waking import late_over, woken
from tests.benchmarks.responder import responder
from tests.benchmarks.run import Run, say
from tests.benchmarks.setting import percentile

FEW, SOME = 1_000, 10_000
PATIENCE = 200.0
"""Seconds after which no more are imported, if not all have to be."""
SETTLING = 3.0
"""Seconds after which a daemon holds the memory that it will hold."""
COMMANDS = {
    "list": ["list"],
    "add": ["add", "Hello, world", "--to", "me", "--at", "2099-01-01 09:00"],
    "status": ["status"],
}


class Homes:
    """The databases: with nothing, with few, with some, and with all."""

    def __init__(self, folder: Path, url: str, posts: int, whole: bool) -> None:
        self.empty, self.few, self.some, self.full = (
            folder / name for name in ("empty", "few", "some", "full")
        )
        self.posts = posts
        made(self.empty, url, 0)
        made(self.few, url, FEW)
        rate = made(self.some, url, SOME).rate
        if posts > (most := int(rate * PATIENCE)) and not whole:
            say(f"  at {rate:.0f} posts/s, {posts:,} would take too long: {most:,}")
            self.posts = most
        self.imported = made(self.full, url, self.posts)


def measure(run: Run) -> None:
    """All of it, on databases that are made once."""
    with (
        responder() as url,
        tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder,
    ):
        homes = Homes(Path(folder), url, run.size.backlog, run.size.whole)
        size = (homes.full / "bench.db").stat().st_size / 1e6
        say(f"  {homes.posts:,} posts imported, {size:.0f} MB")
        run.note("backlog", posts=homes.posts, megabytes=size)
        what = f"{homes.posts:,} scheduled: "
        run.figures += [
            Figure(what + "import", "posts/s", homes.imported.rate, goal=above(20_000)),
            Figure(what + "import, CPU a post", "ms", homes.imported.cpu),
        ]
        for part in (_start, _memory, _commands):
            part(run, homes, what)
        _waking(run, homes, what, url)
        _lateness(run, homes, what, url)


def _start(run: Run, homes: Homes, what: str) -> None:
    took: dict[Path, list[tuple[float, float]]] = {homes.empty: [], homes.full: []}
    for home in _pairs(run, homes):
        took[home].append(started(home))
    for place, name, goal in ((0, "daemon start", below(50)), (1, "daemon start, CPU", None)):
        ours, beside = (median(one[place] for one in took[h]) for h in (homes.full, homes.empty))
        run.figures.append(Figure(what + name, "ms", ours, "empty", beside, goal))


def _memory(run: Run, homes: Homes, what: str) -> None:
    held: dict[Path, list[float]] = {homes.empty: [], homes.full: []}
    for home in run.rng.sample(list(held), 2):
        with running(home) as pid:
            time.sleep(SETTLING)
            held[home].append(cost.memory(pid))
    ours, beside = median(held[homes.full]), median(held[homes.empty])
    run.figures += [
        Figure(what + "memory", "MB", ours, goal=below(80)),
        Figure(what + "memory", "MB", ours, "empty", beside, at_most(1, slack=10)),
    ]


def _commands(run: Run, homes: Homes, what: str) -> None:
    for name, words in COMMANDS.items():
        spent: dict[Path, list[float]] = {homes.empty: [], homes.full: []}
        for home in _pairs(run, homes):
            before = spent_by_children()
            called(home, words)
            spent[home].append(spent_by_children() - before)
        ours, beside = median(spent[homes.full]) * 1e3, median(spent[homes.empty]) * 1e3
        run.figures.append(Figure(f"{what}{name}, CPU", "ms", ours, "empty", beside, at_most(1.5)))


def _waking(run: Run, homes: Homes, what: str, url: str) -> None:
    with ExitStack() as stack:
        pids = {home: stack.enter_context(running(home)) for home in (homes.some, homes.full)}
        time.sleep(SETTLING)
        waits = woken(list(pids), url, run.size.wakes, run.rng)
        before = cost.cpu([pids[homes.full]])
        time.sleep(run.size.idle / 2)
        idle = (cost.cpu([pids[homes.full]]) - before) * 1e3 * 120 / run.size.idle
    ours, beside = median(waits[homes.full]), median(waits[homes.some])
    run.figures += [
        Figure(what + "wake, p50", "ms", ours, f"{SOME:,}", beside, at_most(1.2)),
        Figure(what + "idle minute, CPU", "ms", idle, goal=below(20)),
    ]


def _lateness(run: Run, homes: Homes, what: str, url: str) -> None:
    pair = run.rng.sample([homes.few, homes.full], 2)
    late = late_over(pair, url, run.size.posts, run.size.seconds)
    for share, goal in ((0.5, at_most(1.15, slack=0.3)), (0.99, at_most(1.5, slack=3.0))):
        ours, beside = (percentile(late[home], share) for home in (homes.full, homes.few))
        name = f"{what}lateness, p{share * 100:.0f}"
        run.figures.append(Figure(name, "ms", ours, f"{FEW:,}", beside, goal))


def _pairs(run: Run, homes: Homes) -> list[Path]:
    """Both, several times, in changing order, after one time in vain."""
    pair = [homes.empty, homes.full]
    return [home for _ in range(run.size.pairs) for home in run.rng.sample(pair, 2)]
