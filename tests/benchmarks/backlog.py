"""Databases with so many posts scheduled, made by the public command."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.benchmarks.setting import account, desk, environment

LATER = timedelta(days=30)
LONGEST = 1800.0
"""Seconds that an import may take."""


@dataclass(frozen=True, slots=True)
class Imported:
    """How an import went: posts a second, and milliseconds of processor time for each."""

    rate: float
    cpu: float


def made(home: Path, url: str, posts: int) -> Imported:
    """An account at that server, and posts for a month from now on, one each second."""
    home.mkdir()
    at = desk(home)
    account(at, url)
    at.database.close()
    if not posts:
        return Imported(0.0, 0.0)
    file = home / "posts.jsonl"
    start = datetime.now(UTC).replace(microsecond=0) + LATER
    with file.open("w") as out:
        for number in range(posts):
            due = (start + timedelta(seconds=number)).isoformat()
            row = {"text": f"scheduled {number}", "to": ["me"], "at": due}
            out.write(json.dumps(row) + "\n")
    begun, before = time.perf_counter(), spent_by_children()
    called(home, ["-q", "import", str(file)])
    took, spent = time.perf_counter() - begun, spent_by_children() - before
    file.unlink()
    return Imported(posts / took, spent * 1e3 / posts)


def called(home: Path, words: Sequence[str]) -> None:
    """A command of postsched in that home. Raises CalledProcessError if it fails."""
    command = [sys.executable, "-m", "postsched", *words]
    subprocess.run(
        command, env=environment(home), check=True, timeout=LONGEST, stdout=subprocess.DEVNULL
    )


def spent_by_children() -> float:
    """Seconds of processor time of all processes that were waited for."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime
