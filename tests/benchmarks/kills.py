"""Kill the daemon at random moments, over and over, and count what the network has in the end.

    python -m tests.benchmarks.kills [--network outbox|mastodon|mock|pds|all]
        [--posts 1000] [--kills 100] [--lose 10] [--seed N] [--workers 1]

Posts fall due in bursts while the daemon is killed (SIGKILL) and started again; the network loses
--lose percent of its answers after it has done what was asked. With --workers 2 there are two
daemons and a loop of publish-due beside them, and any of them is killed. The judge is the
network's own ledger, read from outside: every post exactly once. Exit 1 if one is lost or twice.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from postsched.store import accounts as account_rows
from tests.benchmarks.setting import desk, fill
from tests.servers.judged import NETWORKS, Judged, judged

BURST = 10
START = 0.9
"""Seconds a daemon takes until it sends; kills fall in the time after that, too."""


class Run:
    """One database, one network, and the processes that are killed."""

    def __init__(self, home: Path, network: Judged, rng: random.Random) -> None:
        self._rng = rng
        self._home = home
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "POSTSCHED_DB": str(home / "bench.db"),
            "POSTSCHED_RETRY_DELAY": "1s",
            # Ours take more than the real ones.
            **{
                f"POSTSCHED_PLATFORMS_{name}_RATE": "1000000/5m"
                for name in ("MASTODON", "BLUESKY", "X", "TELEGRAM", "DISCORD", "THREADS")
            },
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "NO_PROXY": "*",
            **({"POSTSCHED_TOKEN_ME": network.secret} if network.secret else {}),
        }

    def command(self, *arguments: str, text: str | None = None) -> str:
        """Run a command to its end; its output."""
        done = subprocess.run(
            [sys.executable, "-m", "postsched", *arguments],
            input=text, capture_output=True, text=True, env=self.environment,
        )  # fmt: skip
        assert done.returncode == 0, f"{arguments}: {done.stdout} {done.stderr}"
        return done.stdout

    def plan(self, posts: int, seconds: float) -> list[str]:
        """Write posts that fall due in bursts over that time; their texts."""
        start = datetime.now(UTC) + timedelta(seconds=5)
        texts = [f"post {number} of the kill test" for number in range(posts)]
        bursts = max(1, posts // BURST)
        dues = [start + timedelta(seconds=seconds * (n // BURST) / bursts) for n in range(posts)]
        at = desk(self._home)
        with at.database.read() as connection:
            (to,) = account_rows.every(connection)
        fill(at, to, dues, texts)
        at.database.close()
        return texts

    def kill_one(self, *arguments: str) -> None:
        """Start a process, and kill it at a moment within a burst or after it."""
        process = self.start(*arguments)
        time.sleep(START + self._rng.random() * 1.2)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a process of postsched."""
        return subprocess.Popen(
            [sys.executable, "-m", "postsched", *arguments],
            env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def finish(self) -> None:
        """Let one daemon do the rest."""
        process = self.start("run", "--no-live", "--until-idle")
        try:
            code = process.wait(timeout=600)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        assert code == 0, f"the last daemon ended with {code}"

    def statuses(self) -> Counter[str]:
        """The statuses of all deliveries."""
        posts = json.loads(self.command("list", "--all", "--json"))
        return Counter(d["status"] for post in posts for d in post["deliveries"])


def measure(name: str, given: argparse.Namespace) -> bool:
    """One network; whether every post is out exactly once."""
    rng = random.Random(f"{given.seed} {name}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        network = stack.enter_context(judged(name, folder, given.lose, given.seed))
        run = Run(folder, network, rng)
        run.command("account", "add", "me", *network.account)
        started = time.monotonic()
        each = START + 0.6 if given.workers == 1 else 1.1
        texts = run.plan(given.posts, given.kills * each)
        _kill(run, given.kills, given.workers, rng)
        run.finish()
        out, statuses = network.out(), run.statuses()
        took = time.monotonic() - started
    return _judge(name, given, texts, out, statuses, took)


def _kill(run: Run, kills: int, workers: int, rng: random.Random) -> None:
    if workers == 1:
        for _ in range(kills):
            run.kill_one("run", "--no-live")
        return
    kinds = [("run", "--no-live")] * workers + [("publish-due",)]
    living = [run.start(*kind) for kind in kinds]
    for _ in range(kills):
        time.sleep(0.3 + rng.random())
        victim = rng.randrange(len(kinds))
        living[victim].kill()
        living[victim].wait()
        for place, kind in enumerate(kinds):
            if living[place].poll() is not None:
                living[place] = run.start(*kind)
    for process in living:
        process.kill()
        process.wait()


def _judge(
    name: str,
    given: argparse.Namespace,
    texts: list[str],
    out: Counter[str],
    statuses: Mapping[str, int],
    took: float,
) -> bool:
    lost = [text for text in texts if out[text] == 0]
    twice = [text for text in texts if out[text] > 1]
    print(
        f"{name}: {given.posts} posts, {given.kills} kills, {given.lose:g} % of answers lost, "
        f"{given.workers} worker(s), seed {given.seed}, {took:.0f} s: "
        f"{len(lost)} lost, {len(twice)} twice; deliveries: {dict(statuses)}",
        flush=True,
    )
    for text in (lost + twice)[:5]:
        print(f"  {text!r} is out {out[text]} times")
    return not lost and not twice and statuses.get("published") == given.posts


def main() -> int:
    """Measure and print; 1 if a post was lost or sent twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="all", choices=["all", *NETWORKS])
    parser.add_argument("--posts", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--lose", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    names = list(NETWORKS) if given.network == "all" else [given.network]
    results = [measure(name, given) for name in names]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
