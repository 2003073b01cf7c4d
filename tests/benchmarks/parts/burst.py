"""Thousands of posts due at the same instant, each claimed and recorded durably: how many a second,
how late the first, and what each cost. In rounds, of which the medians count."""

from __future__ import annotations

from functools import partial
from statistics import median

from tests.benchmarks.contenders import Stock
from tests.benchmarks.figures import Figure, at_least, below
from tests.benchmarks.parts.lateness import BULLMQ
from tests.benchmarks.playing import Played, play_burst
from tests.benchmarks.responder import capacity
from tests.benchmarks.run import Run, say

CONCURRENCY = {10: 0.85, 50: 0.8}
"""Requests at once, and the share of the floor to reach."""
AHEAD = {10: ("procrastinate", "Celery", BULLMQ), 50: ("procrastinate", "Celery")}
"""Who is to be left behind."""


def measure(run: Run) -> None:
    """Bursts of all contenders at each concurrency."""
    most = capacity()
    say(f"the loopback server takes {most:.0f} requests/s")
    run.note("server", capacity=most)
    for concurrency in CONCURRENCY:
        _at(run, concurrency)


def _at(run: Run, concurrency: int) -> None:
    came: dict[str, list[Played]] = {}
    try:
        for one in run.shuffled([*run.contenders, Stock()]):
            posts = run.size.peer_burst if one.slow else run.size.burst
            if played := run.attempt(one, partial(play_burst, one, posts, concurrency)):
                came.setdefault(one.name, []).append(played)
    finally:
        _tell(run, concurrency, came)


def _tell(run: Run, concurrency: int, came: dict[str, list[Played]]) -> None:
    rates = {name: median(p.rate for p in all_of) for name, all_of in came.items()}
    costs = {name: median(p.cpu for p in all_of) for name, all_of in came.items()}
    firsts = {name: median(p.first for p in all_of) for name, all_of in came.items()}
    for name, rate in rates.items():
        run.note(name, **{f"burst {concurrency}": rate, f"burst {concurrency} first": firsts[name],
                          f"burst {concurrency} cpu": costs[name]})  # fmt: skip
    if {"postsched", "bare loop"} <= rates.keys():
        run.figures += _figures(concurrency, rates, firsts["postsched"], costs)


def _figures(
    concurrency: int, rates: dict[str, float], first: float, costs: dict[str, float]
) -> list[Figure]:
    what = f"burst at {concurrency}"
    ours, floor = rates["postsched"], rates["bare loop"]
    told = [
        Figure(what, "posts/s", ours, "floor", floor, at_least(CONCURRENCY[concurrency])),
        Figure(f"{what}: first post late by", "ms", first, goal=below(10)),
        Figure(f"{what}: CPU a post", "ms", costs["postsched"], "floor", costs["bare loop"]),
    ]
    if stock := rates.get(Stock.name):
        told.append(Figure(what, "posts/s", ours, "httpx", stock))
    return told + [
        Figure(what, "posts/s", ours, name, rates[name], at_least(1))
        for name in AHEAD[concurrency]
        if name in rates
    ]
