"""How late posts arrive at the server, evenly spread over half a minute."""

from __future__ import annotations

from functools import partial

from tests.benchmarks.figures import Figure, Goal, at_most, below
from tests.benchmarks.playing import play_spread
from tests.benchmarks.run import Run
from tests.benchmarks.setting import percentile

QUANTILES = [n / 200 for n in range(200)] + [0.999]
NOISE = 3.0
"""Milliseconds of p99 by which two runs of the same program differ on a machine that is shared."""
BULLMQ = "BullMQ"


def measure(run: Run) -> None:
    """Lateness of all contenders."""
    late: dict[str, list[float]] = {one.name: [] for one in run.contenders}
    for one in run.shuffled(run.contenders):
        play = partial(play_spread, one, run.size.posts, run.size.seconds)
        if played := run.attempt(one, play):
            late[one.name] += played.late
    for name, values in late.items():
        if values:
            curve = [round(percentile(values, share), 4) for share in QUANTILES]
            run.note(
                name, lateness=curve, p50=percentile(values, 0.5), p99=percentile(values, 0.99)
            )
    run.figures += list(_figures(late))


def _figures(late: dict[str, list[float]]) -> list[Figure]:
    ours, floor = late["postsched"], late["bare loop"]
    told = [
        _figure("lateness, p50", 0.5, ours, "floor", floor, at_most(1.15)),
        _figure("lateness, p99", 0.99, ours, "floor", floor, at_most(1.5, slack=NOISE)),
        Figure("posts before their time", "", sum(x < 0 for x in ours), goal=below(0)),
    ]
    if theirs := late.get(BULLMQ):
        told.append(_figure("lateness, p50", 0.5, ours, BULLMQ, theirs, at_most(1 / 20)))
        told.append(_figure("lateness, p99", 0.99, ours, BULLMQ, theirs, at_most(1 / 15)))
    return told


def _figure(
    what: str, share: float, ours: list[float], base: str, theirs: list[float], goal: Goal
) -> Figure:
    return Figure(what, "ms", percentile(ours, share), base, percentile(theirs, share), goal)
