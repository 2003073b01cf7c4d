"""What a daemon does over a large backlog: how soon it sends what is added for now, and how late
it sends what has its time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from postsched.domain.draft import Draft
from postsched.service.compose import Composer
from postsched.service.desk import Desk
from postsched.service.posts import insert, intake
from postsched.store import accounts as account_rows
from tests.benchmarks.contenders import running
from tests.benchmarks.playing import Play
from tests.benchmarks.responder import arrivals
from tests.benchmarks.setting import desk, fill

PAUSE = 0.1
"""Seconds between two that are added: each finds the daemon idle."""

LEADS = (7.0, 14.0, 28.0)
"""Seconds in which the daemons are up; if they are not, they get more."""


def woken(homes: list[Path], url: str, times: int, rng: Random) -> dict[Path, list[float]]:
    """Milliseconds from the commit of an `add --at now` to its request, for the daemon of each
    home, by turns. The daemons are up, and idle."""
    desks = {home: desk(home) for home in homes}
    committed: dict[str, tuple[Path, int]] = {}
    for number in range(times):
        for home in rng.sample(homes, len(homes)):
            text = f"now {number} {home.name}"
            committed[text] = (home, _added(desks[home], text))
            time.sleep(PAUSE)
    time.sleep(1)
    for at in desks.values():
        at.database.close()
    came = dict(arrivals(url))
    waits: dict[Path, list[float]] = {home: [] for home in homes}
    for text, (home, instant) in committed.items():
        waits[home].append((came[text] - instant) / 1e6)
    return waits


def _added(at: Desk, text: str) -> int:
    """Add a post for now, and wake the daemon; the instant of the commit."""
    with at.database.write() as connection:
        composer = Composer(connection, at, intake(at))
        insert(connection, at, composer.compose(Draft(text, ("me",), "now")), None)
    instant = time.time_ns()
    at.tell()
    return instant


def late_over(
    homes: Sequence[Path], url: str, posts: int, seconds: float
) -> dict[Path, list[float]]:
    """Milliseconds by which posts are late that are evenly spread over that time, beside all that
    the database of each home holds: all of them in the same time, by turns, so that what the
    machine does strikes all."""
    for lead in LEADS:
        if late := _late_over(homes, url, Play(posts, seconds), time.time() + lead):
            return late
    raise AssertionError(f"the daemons are not up within {LEADS[-1]} s")


def _late_over(
    homes: Sequence[Path], url: str, play: Play, start: float
) -> dict[Path, list[float]] | None:
    """The same, with the first post at a given instant; None if one was not up by then."""
    dues = {home: play.dues(start, n / len(homes)) for n, home in enumerate(homes)}
    texts = {
        home: [f"on time {n} {home.name} {start}" for n in range(play.posts)] for home in homes
    }
    for home in homes:
        _filled(home, dues[home], texts[home])
    with ExitStack() as stack:
        for home in homes:
            stack.enter_context(running(home))
        up = time.time() + 0.5
        time.sleep(max(0.0, start + play.seconds - time.time()) + 1.5)
    if up > start:
        return None
    came = dict(arrivals(url))
    return {
        home: [
            came[text] / 1e6 - due * 1e3 for text, due in zip(texts[home], dues[home], strict=True)
        ]
        for home in homes
    }


def _filled(home: Path, dues: Sequence[float], texts: Sequence[str]) -> None:
    at = desk(home)
    with at.database.read() as connection:
        (to,) = account_rows.every(connection)
    fill(at, to, [datetime.fromtimestamp(due, UTC) for due in dues], texts)
    at.database.close()
