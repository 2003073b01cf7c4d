"""From an `add --at now` in one process to the request at the server, with a daemon that is idle
over 100,000 scheduled posts; counted from the commit.

    python -m tests.benchmarks.wake [--backlog 100000] [--times 100] [--check]

Goal: p50 under 10 ms, p99 under 30 ms.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from postsched.domain.draft import Draft
from postsched.service.compose import Composer
from postsched.service.posts import insert, intake
from tests.benchmarks.setting import account, daemon, desk, fill, mastodon, percentile, seen


def main() -> int:
    """Measure and print; with --check, 1 if a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backlog", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    with mastodon() as url, tempfile.TemporaryDirectory() as folder:
        at = desk(Path(folder))
        later = at.now() + timedelta(days=30)
        fill(at, account(at, url), [later + timedelta(seconds=n) for n in range(given.backlog)])
        committed: dict[str, int] = {}
        with daemon(Path(folder)):
            time.sleep(2)
            for number in range(given.times):
                text = f"now {number}"
                with at.database.write() as connection:
                    composer = Composer(connection, at, intake(at))
                    insert(connection, at, composer.compose(Draft(text, ("me",), "now")), None)
                committed[text] = time.time_ns()
                at.tell()
                time.sleep(0.15)
            time.sleep(1)
        arrived = {
            json.loads(request["body"])["status"]: request["at"]
            for request in seen(url)
            if request["path"] == "/api/v1/statuses"
        }
        at.database.close()
    waits = [(arrived[text] - instant) / 1e6 for text, instant in committed.items()]
    p50, p99 = percentile(waits, 0.5), percentile(waits, 0.99)
    print(f"{len(waits)} posts over a backlog of {given.backlog}: commit to request "
          f"p50 {p50:.2f} ms, p99 {p99:.2f} ms, max {max(waits):.2f} ms")  # fmt: skip
    good = p50 < 10 and p99 < 30
    print("goal reached" if good else "goal missed")
    return 0 if good or not given.check else 1


if __name__ == "__main__":
    sys.exit(main())
