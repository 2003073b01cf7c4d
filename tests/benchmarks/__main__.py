"""Everything that is measured of speed, in one interleaved run.

    python -m tests.benchmarks [--only PART...] [--rounds N] [--quick] [--no-peers] [--check]
        [--json FILE] [--picture FILE] [--seed N] [--renew] [--backlog N]

Parts: lateness, burst, answers, waiting, idle, workers, million. After each, its figures are
printed and written to --json, with what the machine did meanwhile; Ctrl-C and SIGTERM end the run,
and what there is, is told.

--renew writes the README's figures and picture: the parts that were measured take the place of
those in examples/benchmarks.json. Without --only that is all but workers and million, in a quarter
of an hour; `--renew --only workers million` are the others. Those who do the same beside us are
installed by `python -m tests.benchmarks.peers install`; who is not there is left out.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from postsched.domain.errors import PostschedError
from tests.benchmarks.contenders import Contender
from tests.benchmarks.figures import MACHINE, Figure, aligned, below, beside, machine_rows, table
from tests.benchmarks.machine import watching
from tests.benchmarks.page import KEPT, renew
from tests.benchmarks.peers.contenders import peers
from tests.benchmarks.picture import drawn
from tests.benchmarks.record import Record
from tests.benchmarks.run import QUICK, WHOLE, Run, say

PARTS = ("lateness", "burst", "answers", "waiting", "idle", "workers", "million")
SECONDS = {
    "lateness": 240, "burst": 300, "answers": 75, "waiting": 190, "idle": 95, "workers": 150,
    "million": 330,
}  # fmt: skip
"""How long each takes on two cores that nobody else uses; without peers, half of it."""
RENEWED = PARTS[:5]
FAILURES = (AssertionError, OSError, PostschedError, subprocess.SubprocessError)
ENDED = {signal.SIGINT: 130, signal.SIGTERM: 143}


def parsed(words: list[str] | None = None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART")
    parser.add_argument("--rounds", type=int, default=None, help="of each contender (2; quick: 1)")
    parser.add_argument("--quick", action="store_true", help="less of everything, no peers")
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=None)
    parser.add_argument("--backlog", type=int, metavar="N", help="instead of a million, in full")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="an SVG")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--check", action="store_true", help="exit 1 when a goal is missed")
    parser.add_argument("--renew", action="store_true", help="write the README's figures anew")
    given = parser.parse_args(words)
    given.only = given.only or (RENEWED if given.renew else PARTS)
    return given


def measured(given: argparse.Namespace, record: Record) -> int:
    """Measure the chosen parts, each kept as it ends; the exit code of the signal that ended it, or
    0."""
    with_peers = not given.quick if given.peers is None else given.peers
    others = _peers() if with_peers else []
    size = QUICK if given.quick else WHOLE
    size = replace(size, backlog=given.backlog, whole=True) if given.backlog else size
    rounds = given.rounds or (1 if given.quick else 2)
    chance = random.Random(given.seed)
    try:
        with _ending():
            for name in PARTS:
                if name in given.only:
                    _part(name, Run(chance, rounds, size, others), record, given)
    except SystemExit as ended:
        return int(str(ended.code))
    return 0


@contextmanager
def _ending() -> Iterator[None]:
    """A signal ends what is measured, and all that was started for it; not what is told of it."""

    def end(number: int, _: object) -> None:
        for each in ENDED:
            signal.signal(each, signal.SIG_IGN)  # one is enough
        sys.exit(ENDED[signal.Signals(number)])

    before = {number: signal.signal(number, end) for number in ENDED}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)


def _part(name: str, run: Run, record: Record, given: argparse.Namespace) -> None:
    begun = time.monotonic()
    say(f"{name}:")
    measure: Callable[[Run], None] = import_module(f"tests.benchmarks.parts.{name}").measure
    with watching() as watch:
        try:
            measure(run)
        except FAILURES as error:
            say(f"{name} failed: {error}")  # what the others came to is told all the same
            run.figures.append(Figure(f"{name}: failed", "", 1, goal=below(0)))
        finally:
            took = time.monotonic() - begun
            record.add(name, run, watch.told(), took, given.seed)
            if given.json:
                record.write(given.json)
            say(f"{name} took {took:.0f} s")
            print(f"{table(record.parts[name]['figures'])}\n", flush=True)


def _peers() -> list[Contender]:
    """Those that are here; why the others are not is said."""
    found: list[Contender] = []
    for peer in peers():
        if reason := peer.missing():
            say(f"{peer.name} is left out: {reason}")
        else:
            found.append(peer)
    return found


def foretold(names: Sequence[str], kept: Record) -> str:
    """How long these parts will take: as they did when they were last kept."""
    seconds = sum(kept.parts[name]["took"] if name in kept.parts else SECONDS[name]
                  for name in names)  # fmt: skip
    return f"about {seconds / 60:.0f} minutes"


def main() -> int:
    """Measure and print; with --check, 1 if a goal was missed."""
    given = parsed()
    kept, record = Record.read(KEPT), Record()
    expected = "" if given.quick else f", {foretold(given.only, kept)}"
    say(f"seed {given.seed}{expected}")
    ended = measured(given, record)
    for told in (beside(record.contenders), aligned(["", *MACHINE], machine_rows(record.machines),
                                                    range(1, len(MACHINE) + 1))):  # fmt: skip
        print(f"{told}\n" if told else "", end="\n" if told else "")
    if given.picture:
        given.picture.write_text(drawn(record.contenders))
    if given.renew and not ended:
        known = {**kept.parts, **record.parts}
        renew(Record({name: known[name] for name in PARTS if name in known}))
    missed = record.missed
    print(f"missed: {', '.join(missed)}" if missed else "goals reached")
    return ended or (1 if missed and given.check else 0)


if __name__ == "__main__":
    sys.exit(main())
