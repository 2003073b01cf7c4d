"""The crash matrix: at every commit and every request of a publish, on every network, the process
is killed or the answer goes wrong; then what is out is counted.

    python -m tests.benchmarks.matrix [--network NAME|all] [--cases N] [--seed S] [--list]
        [--jobs N] [--renew]

The boundaries come from recordings, not from a list. Each case is played by processes of postsched
against a network of its own, whose ledger is the judge. Exit 1 if a post is lost or twice, if what
postsched says of it is not so, or if a recorded boundary has no case or a case no verdict.
--cases plays so many in all, chosen by the seed; --list only says which there are; --renew writes
the table of the README anew.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Sequence

from tests.matrix.cases import AFTER, BEFORE, STARTS, Case
from tests.matrix.judging import GOOD, VANISHED
from tests.matrix.playing import Played, played
from tests.matrix.stands import STANDS
from tests.matrix.table import README, renew, table
from tests.matrix.warming import warm

FEW = 10
"""Fewer cases of a network than this are all of one recording, for recording takes its time."""
Work = tuple[str, int | None, int]
"""A network, how many of its cases are to be played (None: all), and the seed."""


def work(given: Work) -> Played:
    """Play one network."""
    name, share, seed = given
    chance = random.Random(f"{seed} {name}")
    starts = set(STARTS) if share is None or not 0 < share < FEW else {chance.choice([*STARTS])}

    def choose(cases: Sequence[Case]) -> Sequence[Case]:
        return cases if share is None else sample(cases, share, chance)

    def tell(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    return played(STANDS[name], starts, choose, tell)


def sample(cases: Sequence[Case], number: int, chance: random.Random) -> Sequence[Case]:
    """So many of them; half of them kills, of which there are many more, as far as can be."""
    mixed = chance.sample(cases, len(cases))
    kills = [case for case in mixed if case.kind in (BEFORE, AFTER)]
    wrong = [case for case in mixed if case.kind not in (BEFORE, AFTER)][: number // 2]
    return [*wrong, *kills[: number - len(wrong)]]


def measure(names: Sequence[str], cases: int | None, seed: int, jobs: int) -> list[Played]:
    """Play those networks, side by side; in the order of the names."""
    warm()
    shares = [None if cases is None else (cases + n) // len(names) for n in range(len(names))]
    works = [(name, share, seed) for name, share in zip(names, shares, strict=True)]
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        return pool.map(work, works, chunksize=1)


def complaints(results: Sequence[Played], *, whole: bool) -> list[str]:
    """What is wrong."""
    said = [
        f"{verdict.word}: {case}: {verdict.detail}"
        for one in results
        for case, verdict in one.verdicts
        if verdict.word not in GOOD
    ]
    for one in results if whole else ():
        said += [f"{one.network}: {start}: {at} has no case" for start, at in one.left_out]
    return said


def _extent(results: Sequence[Played], seed: int) -> str:
    """How much of the matrix that was."""
    cases = sum(len(one.verdicts) for one in results)
    there = sum(len(one.cases) for one in results)
    boundaries = sum(len(one.recorded) for one in results)
    return f"{cases} of {there} cases at {boundaries} recorded boundaries, seed {seed}."


def main() -> int:
    """Play and print; 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="all", choices=["all", *STANDS])
    parser.add_argument("--cases", type=int)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--renew", action="store_true")
    given = parser.parse_args()
    names = list(STANDS) if given.network == "all" else [given.network]
    begun = time.monotonic()
    results = measure(names, 0 if given.list else given.cases, given.seed, given.jobs)
    if given.list:
        for one in results:
            print(*one.cases, sep="\n")
        return 0
    said = complaints(results, whole=given.cases is None)
    verdicts = {one.network: one.verdicts for one in results}
    print(table(verdicts))
    words = _extent(results, given.seed)
    if given.renew:
        text = renew(README.read_text(encoding="utf-8"), verdicts, words)
        README.write_text(text, encoding="utf-8")
    for one in results:
        for case in one.vanished:
            print(f"{VANISHED}: {case} (not every recording passes it)")
    print(f"\n{words} {time.monotonic() - begun:.0f} s.")
    print(*said, sep="\n")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
