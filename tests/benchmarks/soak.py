"""Everything at once for some minutes: kills, faults of networks, and whatever a user may do.

    python -m tests.benchmarks.soak [--minutes 5] [--seed N]

Daemons and calls of publish-due are killed, stopped for a while and started again; networks of
several kinds lose answers, refuse, hang and break off; posts are added, imported twice, edited, put
off, cancelled, held, released, sent again, settled and backed up, accounts are checked, and some of
these commands are killed too; what only reads must always print one document. In the end everything
is let go its way. Judged from outside only, by the networks' ledgers and what the commands print:
nothing twice, nothing lost, nothing early, and each part is out exactly where postsched says so.
Exit 1 if not.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.soak.judging import faults
from tests.soak.town import Town
from tests.soak.user import User
from tests.soak.workers import Workers


def measure(given: argparse.Namespace) -> bool:
    """Let it all happen; whether nothing was wrong in the end."""
    rng = random.Random(given.seed)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory())).resolve()
        town = stack.enter_context(Town(home, rng))
        user = User(town, rng)
        workers = stack.enter_context(Workers(town, rng))
        end = time.monotonic() + given.minutes * 60
        while time.monotonic() < end:
            town.trouble()
            workers.trouble()
            user.act()
        workers.stop()
        town.peace()
        user.settle()
        bad = faults(town, user)
    for fault in bad:
        print(fault, flush=True)
    print(
        f"{given.minutes:g} minutes, seed {given.seed}: {user.summary()}, {workers.summary()}, "
        f"{town.summary()}: {len(bad)} faults"
    )
    return not bad


def main() -> int:
    """Measure and print; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    return 0 if measure(parser.parse_args()) else 1


if __name__ == "__main__":
    sys.exit(main())
