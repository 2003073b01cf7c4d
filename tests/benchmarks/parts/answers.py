"""The same burst, and a network that takes 100 ms to answer: whether all hands are always full."""

from __future__ import annotations

from functools import partial
from statistics import median

from tests.benchmarks.contenders import Contender, Floor, Postsched
from tests.benchmarks.figures import Figure, at_least
from tests.benchmarks.playing import Played, play_burst
from tests.benchmarks.run import Run

DELAY = 0.1
"""Seconds to an answer."""


def measure(run: Run) -> None:
    """postsched and the floor, beside what concurrency and delay allow."""
    for concurrency in (10, 50):
        came: dict[str, list[Played]] = {Floor.name: [], Postsched.name: []}
        pair: list[Contender] = [Floor(), Postsched()]
        try:
            for one in run.shuffled(pair):
                posts = run.size.slow_burst * concurrency // 50
                play = partial(play_burst, one, posts, concurrency, DELAY)
                came[one.name].append(run.attempt(one, play))
        finally:
            if all(came.values()):
                _tell(run, concurrency, came)


def _tell(run: Run, concurrency: int, came: dict[str, list[Played]]) -> None:
    what = f"answers in 100 ms, at {concurrency}"
    ours, floor = (median(p.rate for p in came[one]) for one in (Postsched.name, Floor.name))
    costs, bare = (median(p.cpu for p in came[one]) for one in (Postsched.name, Floor.name))
    ideal = concurrency / DELAY
    run.figures += [
        Figure(what, "posts/s", ours, "ideal", ideal, at_least(0.95)),
        Figure(what, "posts/s", ours, "floor", floor),
        Figure(f"{what}: CPU a post", "ms", costs, "floor", bare),
    ]
