"""How late posts go out of `serve` while hundreds of readers ask its API, and while none does.

    python -m tests.benchmarks.readers [--minutes 1] [--readers 500] [--rate 300] [--check]

One process sends one post every 60 ms to a loopback server, throughout; the readers, in a process
of their own, ask in every other quarter of a minute: the same process and the same minute with and
without. Each reader holds its connection, and thinks between two questions, so that together they
ask `rate` times a second, as far as they are answered. With --check, 1 where the middle post is
later by more than a millisecond, or the 99th of a hundred by more than ten, or an answer was none.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from postsched.domain.scope import Scope
from postsched.service import tokens
from tests.benchmarks.order import spread
from tests.benchmarks.responder import arrivals, responder
from tests.benchmarks.setting import account, desk, environment, fill, percentile

APART = 0.06
"""Seconds from post to post: 500 in half a minute."""
SLOT = 15.0
"""Seconds without readers, then with them."""
READING = 9.0
"""Seconds of their slot in which they ask; in the rest what they asked is still answered, and it
counts for neither."""
SETTLING = 1.0
"""Seconds at the beginning of a slot that count for neither."""
ASKED = (
    "/api/v1/posts", "/api/v1/posts?limit=10&status=scheduled", "/api/v1/health",
    "/api/v1/monitoring/queue", "/api/v1/deliveries?limit=20", "/api/v1/next", "/healthz",
)  # fmt: skip
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Heard:
    """What readers were answered: how often which status, and how long each took, in ms."""

    statuses: Counter[str] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)


async def _read_on(port: int, token: str, think: float, until: float, heard: Heard) -> None:
    """One reader: ask, read the answer, think, on one connection as long as that holds."""
    await asyncio.sleep(random.uniform(0, think))
    reader = writer = None
    while time.time() < until:
        request = (
            f"GET {random.choice(ASKED)} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {token}\r\n\r\n"
        )
        begun = time.perf_counter()
        try:
            if reader is None or writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request.encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = LENGTH.search(head)
            assert length, head
            await reader.readexactly(int(length[1]))
        except (OSError, asyncio.IncompleteReadError) as error:
            # One that was idle may have been closed just before: a client asks again.
            heard.statuses[type(error).__name__] += 1
            reader = writer = None
            continue
        heard.statuses[head[9:12].decode()] += 1
        heard.took.append((time.perf_counter() - begun) * 1e3)
        await asyncio.sleep(random.expovariate(1 / think))
    if writer is not None:
        writer.close()


async def _slots(port: int, token: str, readers: int, think: float, starts: list[float]) -> Heard:
    heard = Heard()
    for start in starts:
        await asyncio.sleep(max(0.0, start - time.time()))
        until = start + READING
        asking = [_read_on(port, token, think, until, heard) for _ in range(readers)]
        with suppress(TimeoutError):
            async with asyncio.timeout(READING):
                await asyncio.gather(*asking)
    return heard


def ask() -> None:
    """What the process of the readers does: it is told what on its stdin."""
    order = json.load(sys.stdin)
    heard = asyncio.run(_slots(**order))
    took = heard.took or [0.0]
    print(json.dumps({
        "statuses": heard.statuses, "p50": percentile(took, 0.5), "p99": percentile(took, 0.99),
    }))  # fmt: skip


@contextmanager
def served(home: Path, *command: str) -> Iterator[tuple[int, int]]:
    """`serve` in a process of its own; its port and its id."""
    words = [*(command or (sys.executable, "-m", "postsched")), "serve", "--port", "0"]
    with subprocess.Popen(
        [*words, "--no-live"], env=environment(home, POSTSCHED_WEB_RATE="1000000/1m"),
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if found := re.search(r"listening at http://127\.0\.0\.1:(\d+)", line):
                    break
            else:
                raise AssertionError("it does not listen")
            yield int(found[1]), process.pid
        finally:
            process.terminate()
            process.communicate(timeout=60)


def measure(
    minutes: float, readers: int, rate: float, *command: str
) -> tuple[dict[bool, list[float]], str]:
    """The lateness of posts (ms), with readers and without, and what the readers say."""
    slots = max(2, round(minutes * 60 / SLOT))
    posts = round(slots * SLOT / APART)
    with ExitStack() as stack:
        url = stack.enter_context(responder())
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="readers-")))
        at = desk(home)
        token = tokens.add(at, "readers", Scope.READ, None)[1].reveal()
        start = time.time() + 8.0
        dues = spread(posts, slots * SLOT, start)
        fill(at, account(at, url), [datetime.fromtimestamp(due, UTC) for due in dues])
        at.database.close()
        port, _ = stack.enter_context(served(home, *command))
        starts = [start + n * SLOT for n in range(1, slots, 2)]
        order = {"port": port, "token": token, "readers": readers, "think": readers / rate,
                 "starts": starts}  # fmt: skip
        asking = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "tests.benchmarks.readers", "--ask"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
        )  # fmt: skip
        told, _ = asking.communicate(json.dumps(order), timeout=slots * SLOT + 120)
        time.sleep(max(0.0, start + slots * SLOT + 2 - time.time()))
        came = arrivals(url)
    return _by_slot(came, dues, start), _said(json.loads(told), len(starts))


def _by_slot(
    came: Sequence[tuple[str, int]], dues: Sequence[float], start: float
) -> dict[bool, list[float]]:
    late: dict[bool, list[float]] = {False: [], True: []}
    first: dict[int, float] = {}
    for text, at in came:
        first.setdefault(int(text.split()[1]), at / 1e9)
    assert len(first) == len(dues), f"{len(dues) - len(first)} posts are not out"
    for number, arrived in first.items():
        slot, into = divmod(dues[number] - start, SLOT)
        reading = slot % 2 == 1
        if SETTLING <= into < (READING if reading else SLOT):
            late[reading].append((arrived - dues[number]) * 1e3)
    return late


def _said(told: dict[str, object], slots: int) -> str:
    statuses = told["statuses"]
    assert isinstance(statuses, dict)
    each = statuses.get("200", 0) / (slots * READING)
    return f"{each:.0f} answers/s in p50 {told['p50']:.1f} ms, p99 {told['p99']:.1f} ms; {statuses}"


def main() -> int:
    """Measure and print; with --check, 1 if a goal was missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--readers", type=int, default=500)
    parser.add_argument("--rate", type=float, default=300.0, help="questions a second, of all")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--ask", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ask:
        ask()
        return 0
    late, said = measure(given.minutes, given.readers, given.rate)
    found = {}
    for reading, values in late.items():
        ends = [percentile(values, share) for share in (0.5, 0.99)]
        found[reading] = ends
        name = f"{given.readers} readers" if reading else "no readers"
        print(f"{name}: {len(values)} posts, late by p50 {ends[0]:.2f} ms, p99 {ends[1]:.2f} ms, "
              f"max {max(values):.2f} ms")  # fmt: skip
    print(said)
    good = found[True][0] - found[False][0] <= 1 and found[True][1] - found[False][1] <= 10
    print("goal reached" if good else "goal missed")
    return 0 if good or not given.check else 1


if __name__ == "__main__":
    sys.exit(main())
