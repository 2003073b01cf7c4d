"""One run of the benchmark: who takes part, in which order, and what came of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.benchmarks.contenders import Contender, Floor, Postsched
from tests.benchmarks.figures import Figure


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured. `peer_burst` is for those who take so long that fewer will do; `over`
    is the burst over each of `waiting`; `whole`: the backlog in full, however long it takes."""

    posts: int
    seconds: float
    burst: int
    peer_burst: int
    slow_burst: int
    over: int
    waiting: tuple[int, ...]
    shared: int
    backlog: int
    idle: float
    pairs: int
    wakes: int
    whole: bool = False


WHOLE = Size(posts=500, seconds=30, burst=5000, peer_burst=2000, slow_burst=2000, over=1000,
             waiting=(1_000, 10_000, 100_000), shared=2000, backlog=1_000_000, idle=60, pairs=5,
             wakes=30)  # fmt: skip
QUICK = Size(posts=100, seconds=5, burst=1000, peer_burst=500, slow_burst=500, over=300,
             waiting=(100, 1_000, 10_000), shared=500, backlog=20_000, idle=10, pairs=3,
             wakes=20)  # fmt: skip


@dataclass(slots=True)
class Run:
    """One part. `rng` shuffles the order anew in each of `rounds`. `figures` are of postsched;
    `others` is what each contender came to, by its name, as plain JSON, also for the picture."""

    rng: Random
    rounds: int
    size: Size
    peers: list[Contender] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    others: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def contenders(self) -> list[Contender]:
        """All, the floor and postsched first."""
        return [Floor(), Postsched(), *self.peers]

    def shuffled(
        self, these: list[Contender], once: list[Contender] | None = None
    ) -> Iterator[Contender]:
        """Each of them once in each round, in changing order; the slow ones, and those that are to
        be `once`, in the first one only, for what is to be told of them needs less precision than
        the ratio to the floor."""
        for number in range(self.rounds):
            now = [one for one in these if not (number and (one.slow or one in (once or ())))]
            yield from self.rng.sample(now, len(now))

    def note(self, name: str, **what: Any) -> None:
        """What a contender came to."""
        self.others.setdefault(name, {}).update(what)

    def attempt(self, contender: Contender, play: Callable[[], Any]) -> Any:
        """What it came to; None, and said why, where a peer fails: the rest goes on."""
        begun = time.monotonic()
        try:
            return play()
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            if contender not in self.peers:
                raise
            say(f"{contender.name} is left out: {error}")
            return None
        finally:
            say(f"  {contender.name}: {time.monotonic() - begun:.0f} s")


def say(line: str) -> None:
    """Tell who waits."""
    print(line, file=sys.stderr, flush=True)
