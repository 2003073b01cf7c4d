"""Lets contenders carry out an order, and says what that came to, judged at the server."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import cost
from tests.benchmarks.contenders import Backing, Contender
from tests.benchmarks.order import Order, at_once, later, spread
from tests.benchmarks.responder import arrivals, count, responder

STALLED = 20.0
"""Seconds without a post after which no more is waited for."""
TRIES = 3
"""A contender that is not up in time gets twice the time, so often."""


class NotUpInTimeError(Exception):
    """It was still planning, or starting, when the first post was due."""


@dataclass(frozen=True, slots=True)
class Played:
    """`late` is the lateness of each post in milliseconds, in the order of the posts; `rate` is
    posts a second, from the instant they were due to the last answer; `costs` are milliseconds of
    processor time for each post, of each of the processes."""

    late: list[float]
    rate: float
    costs: list[float]
    twice: int

    @property
    def cpu(self) -> float:
        """Of all of them."""
        return sum(self.costs)

    @property
    def first(self) -> float:
        """How late the first was that came, in milliseconds."""
        return min(self.late)


@dataclass(frozen=True, slots=True)
class Play:
    """What is played: `posts` over `seconds`, all at once if these are 0; the network answers in
    `delay` seconds; `waiting` posts more are not due for long."""

    posts: int
    seconds: float = 0.0
    concurrency: int = 10
    delay: float = 0.0
    waiting: int = 0

    def dues(self, start: float, offset: float = 0.0) -> list[float]:
        """The instants; `offset` (0 to 1) moves them by that share of what is between two."""
        if not self.seconds:
            return at_once(self.posts, start)
        return spread(self.posts, self.seconds, start + offset * self.seconds / self.posts)


def play_together(contenders: Sequence[Contender], play: Play) -> list[Played]:
    """All of them in the same time, each at a server of its own, their instants interleaved: where
    the machine stands still, it does for all of them. One `Played` for each."""
    lead = sum(one.lead + one.lead_each * play.posts for one in contenders)
    for _ in range(TRIES):
        try:
            return _played(contenders, play, lead)
        except NotUpInTimeError:
            lead *= 2
    names = " and ".join(one.name for one in contenders)
    raise AssertionError(f"{names}: not up within {lead / 2:.0f} s")


def play_burst(
    contender: Contender, posts: int, concurrency: int, delay: float = 0.0, waiting: int = 0
) -> Played:
    """Posts due at the same instant."""
    play = Play(posts, concurrency=concurrency, delay=delay, waiting=waiting)
    return play_together([contender], play)[0]


@dataclass(frozen=True, slots=True)
class _Stage:
    """Where one of them plays."""

    contender: Contender
    url: str
    folder: Path
    backing: Backing | None


def _played(contenders: Sequence[Contender], play: Play, lead: float) -> list[Played]:
    with ExitStack() as stack:
        stages = [_stage(stack, one, play) for one in contenders]
        start = time.time() + lead
        orders = [
            Order(stage.url, play.dues(start, n / len(stages)), play.concurrency)
            for n, stage in enumerate(stages)
        ]
        families = [
            stack.enter_context(one.contender.working(order, one.folder, one.backing))
            for one, order in zip(stages, orders, strict=True)
        ]
        if time.time() > start - 0.5:
            raise NotUpInTimeError
        time.sleep(start - 0.3 - time.time())
        before = [[cost.cpu([pid]) for pid in pids] for pids in families]
        for order in orders:
            await_all(order.url, order.dues)
        time.sleep(0.3)  # for the last answer, and what is noted of it
        spent = [
            [cost.cpu([pid]) - was for pid, was in zip(pids, those, strict=True)]
            for pids, those in zip(families, before, strict=True)
        ]
        for one, order in zip(stages, orders, strict=True):
            one.contender.expect_recorded(order, one.folder, one.backing)
        return [
            _judge(one.contender.name, arrivals(one.url), order.dues, play.delay, costs)
            for one, order, costs in zip(stages, orders, spent, strict=True)
        ]


def _stage(stack: ExitStack, one: Contender, play: Play) -> _Stage:
    """Its server, its folder and what it keeps its jobs in; in there is what waits."""
    url = stack.enter_context(responder(play.delay))
    place = tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True)
    folder = open_to_all(stack.enter_context(place))
    stage = _Stage(one, url, folder, stack.enter_context(one.backing(folder)))
    if play.waiting:
        one.keep(Order(url, later(play.waiting), play.concurrency), folder, stage.backing)
    return stage


def open_to_all(place: str) -> Path:
    """The folder, to be read by all: PostgreSQL runs as a user of its own."""
    folder = Path(place)
    folder.chmod(0o755)
    return folder


def await_all(url: str, dues: list[float]) -> int:
    """Until all came, or nothing more comes; how many came."""
    seen, changed = 0, time.monotonic() + dues[-1] - time.time()
    while seen < len(dues) and time.monotonic() - changed < STALLED:
        time.sleep(0.2)
        if (now := count(url)) != seen:
            seen, changed = now, max(changed, time.monotonic())
    return seen


def _judge(
    name: str, came: list[tuple[str, int]], dues: list[float], delay: float, spent: list[float]
) -> Played:
    late: dict[int, float] = {}
    for text, at in came:
        number = int(text.split()[1])
        late.setdefault(number, (at / 1e9 - dues[number]) * 1e3)
    lost = len(dues) - len(late)
    assert not lost, f"{name}: {lost} of {len(dues)} posts did not arrive"
    took = came[-1][1] / 1e9 + delay - dues[0]
    ordered = [late[number] for number in range(len(dues))]
    costs = [one * 1e3 / len(dues) for one in spent]
    return Played(ordered, len(dues) / took, costs, len(came) - len(late))
