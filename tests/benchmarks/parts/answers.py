"""The same burst, and a network that takes 100 ms to answer: whether all hands are always full."""

from __future__ import annotations

from functools import partial
from statistics import median

from tests.benchmarks.contenders import Contender, Floor, Postsched
from tests.benchmarks.figures import Figure, at_least
from tests.benchmarks.playing import play_burst
from tests.benchmarks.run import Run

DELAY = 0.1
"""Seconds to an answer."""


def measure(run: Run) -> None:
    """postsched and the floor, beside what concurrency and delay allow."""
    pair: list[Contender] = [Floor(), Postsched()]
    for concurrency in (10, 50):
        posts = run.size.slow_burst * concurrency // 50
        rates: dict[str, list[float]] = {one.name: [] for one in pair}
        for one in run.shuffled(pair):
            played = run.attempt(one, partial(play_burst, one, posts, concurrency, DELAY))
            rates[one.name].append(played.rate)
        what = f"answers in 100 ms, at {concurrency}"
        ours, floor = median(rates["postsched"]), median(rates["bare loop"])
        ideal = concurrency / DELAY
        run.figures.append(Figure(what, "posts/s", ours, "ideal", ideal, at_least(0.95)))
        run.figures.append(Figure(what, "posts/s", ours, "floor", floor))
