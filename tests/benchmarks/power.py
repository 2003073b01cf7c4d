"""Cut the power at every sync, and go on with what the disk has kept.

    python -m tests.benchmarks.power [--posts 6] [--torn 2] [--seed N] [--quick]

Real processes add and publish posts under strace, which sees every write, sync, truncation and
rename of the database, its log, the media, the secrets file and the outbox. Then the files are put
back as they were at each sync: without anything that was not durable by then, with all of it, and
--torn times with some of it, torn between sectors. postsched opens them and goes on; the networks,
which know what they knew at that instant, are the judge: nothing twice, nothing lost. Exit 1 if
not. --quick: one post, and some of the cuts.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.power import recovery, tracing
from tests.power.scene import record

QUICK = 5
"""Cuts that --quick tries."""


def measure(given: argparse.Namespace) -> bool:
    """Record, cut, go on; whether all was well each time."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        accounts, posts = (("t", "o"), 1) if given.quick else (("m", "o", "t"), given.posts)
        recording = record(Path(folder).resolve(), given.seed, accounts, posts)
        if unseen := recovery.differences(recording):
            print(f"the recording is not whole: {unseen}")
            return False
        cuts = list(recovery.ruins(recording, given.seed, 1 if given.quick else given.torn))
        every, syncs = len(cuts), sum(event.sync for event in recording.events)
        if given.quick:
            cuts = random.Random(given.seed).sample(cuts, min(QUICK, every))
        bad = 0
        for cut in cuts:
            found = recovery.faults(recording, cut)
            bad += bool(found)
            for fault in found[:5]:
                print(f"{cut.name}: {fault}", flush=True)
    print(
        f"{posts} posts to {len(accounts)} networks, {len(recording.events)} changes of files, "
        f"{syncs} syncs, {len(cuts)} of {every} power losses, seed {given.seed}, "
        f"{time.monotonic() - begun:.0f} s: {bad} went wrong"
    )
    return not bad


def main() -> int:
    """Measure and print; 1 if a post was lost or sent twice, or a file was damaged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=6)
    parser.add_argument("--torn", type=int, default=2)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    if reason := tracing.missing():
        print(f"skipped: {reason}")
        return 1
    return 0 if measure(given) else 1


if __name__ == "__main__":
    sys.exit(main())
