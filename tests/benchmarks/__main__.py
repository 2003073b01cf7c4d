"""Everything that is measured of speed, in one interleaved run.

    python -m tests.benchmarks [--only PART...] [--rounds N] [--quick] [--no-peers] [--check]
        [--json FILE] [--picture FILE] [--seed N] [--renew]

Parts: lateness, burst, answers, million, workers, idle. Those who do the same beside us are
installed by `python -m tests.benchmarks.peers install`; who is not there is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from postsched.domain.errors import PostschedError
from tests.benchmarks.contenders import Contender
from tests.benchmarks.figures import Figure, below, beside, table
from tests.benchmarks.page import renew
from tests.benchmarks.peers.contenders import peers
from tests.benchmarks.picture import drawn
from tests.benchmarks.run import QUICK, WHOLE, Run, say

PARTS = ("lateness", "burst", "answers", "million", "workers", "idle")


def parsed(words: list[str] | None = None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    parser.add_argument("--rounds", type=int, default=None, help="of each contender (2; quick: 1)")
    parser.add_argument("--quick", action="store_true", help="less of everything, no peers")
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=None)
    parser.add_argument("--backlog", type=int, metavar="N", help="instead of a million")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="an SVG")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--check", action="store_true", help="exit 1 when a goal is missed")
    parser.add_argument("--renew", action="store_true", help="write the README's figures anew")
    return parser.parse_args(words)


def measured(given: argparse.Namespace) -> Run:
    """Measure the chosen parts."""
    wanted = not given.quick if given.peers is None else given.peers
    size = QUICK if given.quick else WHOLE
    if given.backlog:
        size = replace(size, backlog=given.backlog)
    rounds = given.rounds or (1 if given.quick else 2)
    run = Run(random.Random(given.seed), rounds, size, _peers() if wanted else [])
    for name in PARTS:
        if name in given.only:
            begun = time.monotonic()
            say(f"{name}:")
            part: Callable[[Run], None] = import_module(f"tests.benchmarks.parts.{name}").measure
            try:
                part(run)
            except (AssertionError, OSError, PostschedError, subprocess.SubprocessError) as error:
                say(f"{name} failed: {error}")  # what the others came to is told all the same
                run.figures.append(Figure(f"{name}: failed", "", 1, goal=below(0)))
            say(f"{name} took {time.monotonic() - begun:.0f} s")
    return run


def _peers() -> list[Contender]:
    """Those that are here; why the others are not is said."""
    found: list[Contender] = []
    for peer in peers():
        if reason := peer.missing():
            say(f"{peer.name} is left out: {reason}")
        else:
            found.append(peer)
    return found


def document(run: Run, seed: int) -> dict[str, Any]:
    """All of it as JSON."""
    return {
        "seed": seed,
        "rounds": run.rounds,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "figures": [figure.document() for figure in run.figures],
        "contenders": run.others,
    }


def extent(run: Run, seed: int) -> str:
    """How much of it that was, and where."""
    size, cores = run.size, os.cpu_count()
    return (
        f"{run.rounds} rounds of {size.posts} posts over {size.seconds:.0f} s and of "
        f"{size.burst:,} at once, seed {seed}, {cores} cores, Python {platform.python_version()}."
    )


def main() -> int:
    """Measure and print; with --check, 1 if a goal was missed."""
    given = parsed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and all that was started is ended
    say(f"seed {given.seed}")
    run = measured(given)
    print(table(run.figures))
    print("\n" + beside(run.others))
    if given.json:
        given.json.write_text(json.dumps(document(run, given.seed), indent=1) + "\n")
    if given.picture:
        given.picture.write_text(drawn(run.others))
    if given.renew:
        renew(run.figures, run.others, extent(run, given.seed))
    missed = list(dict.fromkeys(one.what for one in run.figures if one.reached is False))
    print(f"missed: {', '.join(missed)}" if missed else "goals reached")
    return 1 if missed and given.check else 0


if __name__ == "__main__":
    sys.exit(main())
