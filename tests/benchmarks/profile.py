"""Where the processor time of a post goes, from due to durably sent, beside the floor's.

    python -m tests.benchmarks.profile [--posts 1000] [--rounds 3] [--json FILE] [--renew]

For a burst with 10 and with 50 requests at once: microseconds a post, by thread and by part of the
program, and how many calls of functions that are. The time of a thread is that of runs which nobody
watches (medians of rounds, ours and the floor by turns); what part had which share of it, a run in
which every call is seen. Calls are the same in every run, to a few in a hundred. --renew writes the
README's table. About 2 minutes.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.figures import aligned, markdown, number
from tests.benchmarks.order import Order, at_once
from tests.benchmarks.page import README
from tests.benchmarks.playing import STALLED, NotUpInTimeError, await_all
from tests.benchmarks.responder import responder
from tests.benchmarks.run import say
from tests.benchmarks.setting import account, desk, environment, fill
from tests.benchmarks.stopwatch import PARTS

LEADS = (6.0, 12.0, 30.0)
"""Seconds in which all is up; if it is not, it gets more."""
CONCURRENCY = (10, 50)
MAIN, DATABASE = "MainThread", "postsched-database_0"
PLACE = re.compile(r"(<!-- profile -->\n).*?(<!-- end of profile -->)", re.DOTALL)
Told = Mapping[str, Any]
"""What a process said of itself: seconds by thread, and by thread and part."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--renew", action="store_true")
    given = parser.parse_args()
    tables: list[str] = []
    kept: dict[str, Any] = {}
    for concurrency in CONCURRENCY:
        rows = profiled(given.posts, concurrency, given.rounds)
        kept[str(concurrency)] = rows
        heads = heads_of(concurrency)
        print(aligned(heads, rows, range(1, len(heads))) + "\n", flush=True)
        tables.append(markdown(heads, rows, range(1, len(heads))))
        if given.json:
            given.json.write_text(json.dumps(kept, indent=1) + "\n")
    if given.renew:
        told = "\n\n".join(tables)
        text = README.read_text(encoding="utf-8")
        text = PLACE.sub(lambda found: f"{found[1]}{told}\n{found[2]}", text)
        README.write_text(text, encoding="utf-8")


def heads_of(concurrency: int) -> list[str]:
    """What is in the columns."""
    return [f"µs of CPU a post, {concurrency} at once", "event loop", "database thread", "calls",
            "floor", "calls"]  # fmt: skip


def profiled(posts: int, concurrency: int, rounds: int) -> list[list[str]]:
    """The rows of the table."""
    plain: dict[str, list[Told]] = {"ours": [], "floor": []}
    for _ in range(rounds):
        for who in random.Random(concurrency).sample(list(plain), 2):
            plain[who].append(burst(who, "plain", posts, concurrency))
    ours, floor = (
        shares([one["threads"] for one in plain[who]], burst(who, "parts", posts, concurrency),
               posts) for who in plain
    )  # fmt: skip
    return rows_of(ours, floor)


Part = tuple[float, float]
"""Microseconds and calls, of a post."""


def shares(
    plain: Sequence[Mapping[str, float]], watched: Told, posts: int
) -> dict[str, dict[str, Part]]:
    """By thread and part: the thread's time of the runs that nobody watched, shared out as in the
    one that was watched."""
    found: dict[str, dict[str, Part]] = {}
    for thread, seen in watched["parts"].items():
        whole = median(one.get(thread, 0.0) for one in plain) * 1e6 / posts
        times, calls = seen["nanoseconds"], seen["calls"]
        if seen_in_all := sum(times.values()):
            found[thread] = {
                part: (whole * spent / seen_in_all, calls[part] / posts)
                for part, spent in times.items()
            }
    return found


def rows_of(
    ours: Mapping[str, Mapping[str, Part]], floor: Mapping[str, Mapping[str, Part]]
) -> list[list[str]]:
    """A row for each part, and one for all of them."""
    columns = [_column(ours, (MAIN,)), _column(ours, (DATABASE,)), _column(ours, None),
               _column(floor, None)]  # fmt: skip
    rows = []
    for part in [*PARTS, None]:
        loop, database, every, bare = (_sum(column, part) for column in columns)
        if every[0] >= 0.5 or bare[0] >= 0.5:
            rows.append([part or "in all", *map(_number, (loop[0], database[0], every[1], *bare))])
    return rows


def _column(
    threads: Mapping[str, Mapping[str, Part]], which: Sequence[str] | None
) -> list[tuple[str, Part]]:
    return [
        (part, of_it)
        for thread, parts in threads.items()
        if which is None or thread in which
        for part, of_it in parts.items()
    ]


def _sum(column: list[tuple[str, Part]], part: str | None) -> Part:
    these = [of_it for name, of_it in column if part is None or name == part]
    return sum(time for time, _ in these), sum(calls for _, calls in these)


def _number(value: float) -> str:
    return number(round(value)) if value else ""


def burst(who: str, how: str, posts: int, concurrency: int) -> Told:
    """A burst by that process; what it says of it."""
    for lead in LEADS:
        try:
            told = _burst(who, how, posts, concurrency, lead)
        except NotUpInTimeError:
            continue
        say(f"  {who}, {how}, {concurrency} at once: "
            f"{sum(told['threads'].values()) * 1e6 / posts:.0f} µs a post")  # fmt: skip
        return told
    raise AssertionError(f"{who}: not up within {LEADS[-1]} s")


def _burst(who: str, how: str, posts: int, concurrency: int, lead: float) -> Told:
    with responder() as url, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder)
        order = Order(url, at_once(posts, time.time() + lead), concurrency)
        if who == "ours":
            at = desk(home)
            fill(at, account(at, url), order.instants)
            at.database.close()
        place = str(order.write(home))
        command = [sys.executable, "-m", "tests.benchmarks.profiled", who, how, place, folder]
        limits = {"POSTSCHED_CONCURRENCY": str(concurrency), "POSTSCHED_CONCURRENCY_TOTAL": "50"}
        with subprocess.Popen(
            command, env=environment(home, **limits), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as process:  # fmt: skip
            try:
                told = _told(process, order)
                process.communicate(timeout=60)  # it ends in order
                return told
            finally:
                process.kill()


def _told(process: subprocess.Popen[str], order: Order) -> Told:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready", "it ended"
    if (left := order.dues[0] - 0.3 - time.time()) < 0:
        raise NotUpInTimeError
    time.sleep(left)
    print("begin", file=process.stdin, flush=True)
    arrived = await_all(order.url, order.dues)
    assert arrived == len(order.dues), f"{arrived} of {len(order.dues)} came in {STALLED:.0f} s"
    time.sleep(0.3)  # for what is noted of the last one
    print("end", file=process.stdin, flush=True)
    told: Told = json.loads(process.stdout.readline())
    return told


if __name__ == "__main__":
    main()
