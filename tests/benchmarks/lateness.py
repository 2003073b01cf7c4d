"""How late posts arrive at a server, beside a bare asyncio + httpx loop: same server, same client,
same instants, one after the other.

    python -m tests.benchmarks.lateness [--posts 300] [--seconds 20] [--rounds 1] [--check]

Goal: p50 at most 1.15 x and p99 at most 1.5 x (or within 3 ms of) the bare loop; none early.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from postsched.testing.mastodon import TOKEN
from tests.benchmarks.setting import account, daemon, desk, fill, mastodon, percentile, seen

LEAD = 6.0
"""Seconds from the planning to the first post: the processes start meanwhile."""


async def bare_loop(url: str, dues: list[float]) -> None:
    """The floor: nothing but the requests, each at its instant."""
    import httpx

    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(headers=headers, timeout=30) as client:

        def begin(number: int) -> None:
            tasks.append(asyncio.create_task(send(number)))

        async def send(number: int) -> None:
            body = {"status": f"floor {number}"}
            key = {"Idempotency-Key": f"floor {number} {dues[number]}"}
            await client.post(f"{url}/api/v1/statuses", json=body, headers=key)

        loop = asyncio.get_running_loop()
        tasks: list[asyncio.Task[None]] = []
        for number, due in enumerate(dues):
            loop.call_later(due - time.time(), begin, number)
        await asyncio.sleep(dues[-1] - time.time() + 0.5)
        await asyncio.gather(*tasks)


def lateness(url: str, word: str, dues: list[float]) -> list[float]:
    """Milliseconds from each instant to the arrival of its post."""
    late: dict[int, float] = {}
    for request in seen(url):
        if request["method"] == "POST" and request["path"] == "/api/v1/statuses":
            name, number = json.loads(request["body"])["status"].split()
            if name == word:
                late.setdefault(int(number), request["at"] / 1e6 - dues[int(number)] * 1e3)
    assert len(late) == len(dues), f"{len(dues) - len(late)} of {word} did not arrive"
    return list(late.values())


def instants(posts: int, seconds: float) -> list[float]:
    """So many instants, evenly spread, off the whole milliseconds."""
    start = time.time() + LEAD
    return [start + n * seconds / posts + (n * 0.000137) % 0.001 for n in range(posts)]


def measure_floor(posts: int, seconds: float) -> list[float]:
    """The bare loop, in a process of its own."""
    with mastodon() as url:
        dues = instants(posts, seconds)
        command = [sys.executable, "-m", "tests.benchmarks.lateness", "--floor", url]
        subprocess.run(command, input=json.dumps(dues), text=True, check=True)
        return lateness(url, "floor", dues)


def measure_ours(posts: int, seconds: float) -> list[float]:
    """The daemon, with the posts in its database."""
    with mastodon() as url, tempfile.TemporaryDirectory() as folder:
        at = desk(Path(folder))
        dues = instants(posts, seconds)
        fill(at, account(at, url), [datetime.fromtimestamp(due, UTC) for due in dues])
        dues = [float(datetime.fromtimestamp(due, UTC).timestamp()) for due in dues]
        at.database.close()
        with daemon(Path(folder)):
            time.sleep(max(0.0, dues[-1] - time.time()) + timedelta(seconds=1.5).total_seconds())
        return lateness(url, "post", dues)


def main() -> int:
    """Measure and print; with --check, 1 if a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--floor", metavar="URL", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.floor:
        asyncio.run(bare_loop(given.floor, json.load(sys.stdin)))
        return 0
    floor: list[float] = []
    ours: list[float] = []
    for _ in range(given.rounds):
        floor += measure_floor(given.posts, given.seconds)
        ours += measure_ours(given.posts, given.seconds)
    print(f"{'':10} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8} {'early':>6}")
    for name, late in (("bare loop", floor), ("postsched", ours)):
        row = (percentile(late, 0.5), percentile(late, 0.99), max(late))
        print(f"{name:10} {row[0]:8.2f} {row[1]:8.2f} {row[2]:8.2f} {sum(x < 0 for x in late):6}")
    ratios = [percentile(ours, share) / percentile(floor, share) for share in (0.5, 0.99)]
    near = percentile(ours, 0.99) - percentile(floor, 0.99) <= 3.0
    print(f"ratio      {ratios[0]:8.2f} {ratios[1]:8.2f}")
    good = ratios[0] <= 1.15 and (ratios[1] <= 1.5 or near) and min(ours) >= 0
    print("goal reached" if good else "goal missed")
    return 0 if good or not given.check else 1


if __name__ == "__main__":
    sys.exit(main())
