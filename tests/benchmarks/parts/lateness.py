"""How late posts arrive at the server, evenly spread over half a minute: postsched and the floor in
the same half minute, by turns, each at a server of its own, so that a machine that stands still
strikes both.

Each peer has a half minute of its own, with a floor of its own beside it, and not with postsched:
what others do at once every few seconds would be measured in ours, and one fsync of ours in theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from tests.benchmarks.contenders import Contender, Floor
from tests.benchmarks.figures import Figure, Goal, at_most, below
from tests.benchmarks.playing import Play, play_together
from tests.benchmarks.run import Run
from tests.benchmarks.setting import percentile

QUANTILES = [n / 200 for n in range(200)] + [0.999]
BULLMQ = "BullMQ"


@dataclass(slots=True)
class Late:
    """Milliseconds of each post, of one contender and of the floor beside it."""

    its: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)

    def later(self) -> list[float]:
        """By how much each post was later than the one of the floor at half a gap from it."""
        return [mine - bare for mine, bare in zip(self.its, self.floor, strict=True)]


def measure(run: Run) -> None:
    """Lateness of all contenders."""
    came: dict[str, Late] = {}
    try:
        for one in run.shuffled(run.contenders[1:]):
            pair = run.rng.sample([one, Floor()], 2)
            whole = Play(run.size.posts, run.size.seconds)
            half = Play(run.size.posts // 2, run.size.seconds / 2)
            play = partial(play_together, pair, half if one.slow else whole)
            if played := run.attempt(one, play):
                _keep(came.setdefault(one.name, Late()), pair, [p.late for p in played])
    finally:
        _tell(run, came)


def _keep(late: Late, pair: list[Contender], played: list[list[float]]) -> None:
    for one, values in zip(pair, played, strict=True):
        (late.floor if isinstance(one, Floor) else late.its).extend(values)


def _tell(run: Run, came: dict[str, Late]) -> None:
    for name, late in came.items():
        run.note(name, lateness=curve(late.its), **_ends(late.its, ""),
                 **_ends(late.floor, " floor"))  # fmt: skip
    if ours := came.get("postsched"):
        run.note(Floor.name, lateness=curve(ours.floor), **_ends(ours.floor, ""))
        run.note("postsched", later=curve(ours.later()))
        run.figures += _figures(ours, came.get(BULLMQ))


def _ends(values: list[float], whose: str) -> dict[str, float]:
    return {f"p50{whose}": percentile(values, 0.5), f"p99{whose}": percentile(values, 0.99)}


def curve(values: list[float]) -> list[float]:
    """What the picture shows of milliseconds: their quantiles."""
    return [round(percentile(values, share), 4) for share in QUANTILES]


def _figures(ours: Late, bullmq: Late | None) -> list[Figure]:
    later = ours.later()
    earlier = [-one for one in later]
    told = [
        _figure("lateness, p50", 0.5, ours.its, "floor", ours.floor, at_most(1.15)),
        _figure("lateness, p99", 0.99, ours.its, "floor", ours.floor, at_most(1.5)),
        _figure("later than the floor, p50", 0.5, later),
        _figure("later than the floor, p99", 0.99, later, "earlier", earlier),
        Figure("posts before their time", "", sum(x < 0 for x in ours.its), goal=below(0)),
    ]
    if bullmq:
        for share, goal in ((0.5, at_most(1 / 20)), (0.99, at_most(1 / 15))):
            what = f"lateness, p{share * 100:.0f}"
            told.append(_figure(what, share, ours.its, BULLMQ, bullmq.its, goal))
    return told


def _figure(
    what: str, share: float, ours: list[float], base: str = "", theirs: list[float] | None = None,
    goal: Goal | None = None,
) -> Figure:  # fmt: skip
    beside = percentile(theirs, share) if theirs else None
    return Figure(what, "ms", percentile(ours, share), base, beside, goal)
