"""Lets a contender carry out an order, and says what it came to, judged at the server."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import cost
from tests.benchmarks.contenders import Contender
from tests.benchmarks.order import Order, at_once, spread
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


def play_spread(contender: Contender, posts: int, seconds: float) -> Played:
    """Posts evenly over that time."""
    return _play(contender, posts, seconds, 10, 0.0)


def play_burst(contender: Contender, posts: int, concurrency: int, delay: float = 0.0) -> Played:
    """Posts due at the same instant; the network answers in `delay` seconds."""
    return _play(contender, posts, 0.0, concurrency, delay)


def _play(
    contender: Contender, posts: int, seconds: float, concurrency: int, delay: float
) -> Played:
    lead = contender.lead + contender.lead_each * posts
    for _ in range(TRIES):
        try:
            return _played(contender, posts, seconds, concurrency, delay, lead)
        except NotUpInTimeError:
            lead *= 2
    raise AssertionError(f"{contender.name} is not up within {lead / 2:.0f} s")


def _played(
    contender: Contender, posts: int, seconds: float, concurrency: int, delay: float, lead: float
) -> Played:
    with (
        responder(delay) as url,
        tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as place,
        contender.backing(folder := open_to_all(place)) as backing,
    ):
        dues = spread(posts, seconds, lead) if seconds else at_once(posts, lead)
        order = Order(url, dues, concurrency)
        with contender.working(order, folder, backing) as pids:
            if time.time() > dues[0] - 0.5:
                raise NotUpInTimeError
            time.sleep(dues[0] - 0.3 - time.time())
            before = [cost.cpu([pid]) for pid in pids]
            _await_all(url, dues)
            spent = [cost.cpu([pid]) - was for pid, was in zip(pids, before, strict=True)]
            contender.expect_recorded(order, folder, backing)
        return _judge(contender.name, arrivals(url), dues, delay, spent)


def open_to_all(place: str) -> Path:
    """The folder, to be read by all: PostgreSQL runs as a user of its own."""
    folder = Path(place)
    folder.chmod(0o755)
    return folder


def _await_all(url: str, dues: list[float]) -> None:
    """Until all came, or nothing more comes."""
    seen, changed = 0, time.monotonic() + dues[-1] - time.time()
    while seen < len(dues) and time.monotonic() - changed < STALLED:
        time.sleep(0.2)
        if (now := count(url)) != seen:
            seen, changed = now, max(changed, time.monotonic())
    time.sleep(0.3)  # for the last answer, and what is noted of it


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
