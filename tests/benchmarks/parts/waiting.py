"""Bursts while so many posts more are waiting for their time: whether a long queue makes it slower.

The waiting are written before anything is measured. Who needs minutes for that is measured over as
many as it can be given (`deepest`). The bare loop keeps none: it is as fast over any number.
"""

from __future__ import annotations

from functools import partial
from statistics import median

from tests.benchmarks.contenders import Contender, Floor
from tests.benchmarks.figures import Figure
from tests.benchmarks.playing import Played, play_burst
from tests.benchmarks.run import Run

CONCURRENCY = 10


def measure(run: Run) -> None:
    """All contenders over each backlog."""
    came: dict[str, dict[int, list[Played]]] = {}
    try:
        for one in run.shuffled(run.contenders, once=run.peers):
            _one(run, one, came.setdefault(one.name, {}))
    finally:
        _tell(run, came)


def _one(run: Run, one: Contender, came: dict[int, list[Played]]) -> None:
    if isinstance(one, Floor):
        _over(run, one, run.size.waiting[0], came)
        came |= dict.fromkeys(run.size.waiting, came[run.size.waiting[0]])
        return
    for waiting in run.rng.sample(run.size.waiting, len(run.size.waiting)):
        if waiting <= one.deepest:
            _over(run, one, waiting, came)


def _over(run: Run, one: Contender, waiting: int, came: dict[int, list[Played]]) -> None:
    play = partial(play_burst, one, run.size.over, CONCURRENCY, 0.0, waiting)
    if played := run.attempt(one, play):
        came.setdefault(waiting, []).append(played)


def _tell(run: Run, came: dict[str, dict[int, list[Played]]]) -> None:
    rates = {
        name: {waiting: median(p.rate for p in plays) for waiting, plays in sorted(over.items())}
        for name, over in came.items()
    }
    for name, over in rates.items():
        run.note(name, over={str(waiting): rate for waiting, rate in over.items()})
    ours, few = rates.get("postsched", {}), run.size.waiting[0]
    run.figures += [
        Figure(f"burst over {waiting:,} waiting", "posts/s", rate, f"over {few:,}", ours[few])
        for waiting, rate in ours.items()
        if waiting != few and few in ours
    ]
