"""Databases with so many posts scheduled, made by the public command."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.benchmarks.setting import account, desk, environment

LATER = timedelta(days=30)
LONGEST = 900.0
"""Seconds that an import may take."""


def made(home: Path, url: str, posts: int) -> float:
    """An account at that server, and posts for a month from now on, one each second; how many a
    second were imported."""
    home.mkdir()
    at = desk(home)
    account(at, url)
    at.database.close()
    if not posts:
        return 0.0
    file = home / "posts.jsonl"
    start = datetime.now(UTC).replace(microsecond=0) + LATER
    with file.open("w") as out:
        for number in range(posts):
            due = (start + timedelta(seconds=number)).isoformat()
            row = {"text": f"scheduled {number}", "to": ["me"], "at": due}
            out.write(json.dumps(row) + "\n")
    begun = time.perf_counter()
    called(home, ["-q", "import", str(file)])
    took = time.perf_counter() - begun
    file.unlink()
    return posts / took


def called(home: Path, words: Sequence[str]) -> None:
    """A command of postsched in that home. Raises CalledProcessError if it fails."""
    command = [sys.executable, "-m", "postsched", *words]
    subprocess.run(
        command, env=environment(home), check=True, timeout=LONGEST, stdout=subprocess.DEVNULL
    )
