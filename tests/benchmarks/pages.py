"""What each page of `serve` takes of the processor, with many posts.

    python -m tests.benchmarks.pages [--posts 10000] [--rounds 15] [--check]

The application answers in this process, without a network: it is processor time in milliseconds,
the median of the rounds, in which the pages are asked for by turns. With --check, 1 where one takes
more than 100 ms.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from statistics import median

from starlette.testclient import TestClient

from postsched.domain.delivery import DeliveryStatus
from postsched.service import slots
from postsched.service.desk import Desk
from postsched.web.app import create_app
from postsched.web.auth import without_login
from tests.benchmarks.setting import account, desk
from tests.web.page import gallery

GOAL = 100.0
"""Milliseconds."""
QUEUED, FAILED, DRAFTS = 300, 300, 45
"""What is among the posts, beside those that are scheduled."""


def full(at: Desk, posts: int) -> list[str]:
    """Fill a database; the pages to ask for."""
    me, other = account(at, "https://me.example"), account(at, "https://other.example", "other")
    slots.add(at, "other", range(7), [gallery.NINE], "UTC")
    gallery.many(at, other, QUEUED, "queued")
    gallery.many(at, me, FAILED, DeliveryStatus.FAILED)
    gallery.many(at, me, DRAFTS, "draft")
    gallery.many(at, me, posts - QUEUED - FAILED - DRAFTS, "scheduled")
    next_month = f"{at.now() + timedelta(days=10):%Y-%m}"
    return ["/", "/drafts", "/calendar", f"/calendar?month={next_month}",
            f"/calendar?month={next_month}&account=me", "/calendar?week=", "/queue",
            "/queue?account=other", "/history", "/history?search=post", "/accounts", "/compose",
            "/posts/1", "/compose?post=1"]  # fmt: skip


def measure(posts: int, rounds: int) -> Mapping[str, float]:
    """Milliseconds of processor time by page."""
    with tempfile.TemporaryDirectory(prefix="pages-") as home:
        at = desk(Path(home))
        addresses = full(at, posts)
        took: dict[str, list[float]] = {address: [] for address in addresses}
        with TestClient(create_app(lambda: at, without_login), "http://localhost") as client:
            for _ in range(rounds + 1):  # the first reads the templates
                for address in addresses:
                    begun = time.process_time()
                    assert client.get(address).status_code == 200, address
                    took[address].append((time.process_time() - begun) * 1e3)
        at.database.close()
    return {address: median(values[1:]) for address, values in took.items()}


def main() -> int:
    """Measure and print; with --check, 1 if a goal was missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    found = measure(given.posts, given.rounds)
    for address, value in found.items():
        print(f"{value:7.1f} ms  {address}")
    good = max(found.values()) <= GOAL
    print("goal reached" if good else "goal missed")
    return 0 if good or not given.check else 1


if __name__ == "__main__":
    sys.exit(main())
