"""What the benchmarks share: a server of its own process, a database full of posts, percentiles."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from postsched.config import load
from postsched.domain.account import Account, AccountState
from postsched.domain.post import CatchUp, Content, Missed, Post
from postsched.domain.schedule import once
from postsched.service.desk import Desk
from postsched.store import accounts as account_rows
from postsched.store import bulk, plans
from postsched.store.opening import open_database
from postsched.testing.mastodon import TOKEN


@contextmanager
def mastodon(*options: str) -> Iterator[str]:
    """A loopback Mastodon in a process of its own; its address."""
    command = [sys.executable, "-m", "postsched.testing.loopback", "mastodon", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a postsched process with a home of its own."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "POSTSCHED_DB": str(home / "bench.db"),
        "POSTSCHED_TOKEN_ME": TOKEN,
        "POSTSCHED_PLATFORMS_MASTODON_RATE": "1000000/5m",  # ours takes more than a real one
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "NO_PROXY": "*",
        **more,
    }


def desk(home: Path, url: str | None = None) -> Desk:
    """The database of that home, or the one at that URL, opened."""
    settings = load(None, url or str(home / "bench.db"), {})
    database = open_database(settings.database)
    return Desk(database, settings, lambda: datetime.now(UTC), ZoneInfo("UTC"))


def account(at: Desk, url: str, name: str = "me") -> Account:
    """An account on the loopback Mastodon, written directly."""
    facts = {"software": "mastodon", "version": "4.5.1"}
    new = Account(0, secrets.token_hex(16), name, "mastodon", at.now(), url, facts=facts,
                  state=AccountState.OK)  # fmt: skip
    with at.database.write() as connection:
        return account_rows.insert(connection, new)


def fill(
    at: Desk, to: Account, dues: Sequence[datetime], texts: Sequence[str] | None = None
) -> None:
    """One post for each instant, in one transaction; without texts they are numbered."""
    now, day = at.now(), timedelta(hours=24)
    packed = []
    for number, due in enumerate(dues):
        text = texts[number] if texts else f"post {number}"
        post = Post(0, secrets.token_hex(16), Content(text), (), now, now,
                    missed=Missed.ASK, grace=day, catch_up=CatchUp.NEWEST)  # fmt: skip
        planned = [plans.Planned(0, to.id, due, due + day)]
        packed.append(bulk.pack(post, "", once(due, "UTC"), [to.id], planned))
    with at.database.write() as connection:
        bulk.write(connection, packed)


@contextmanager
def daemon(home: Path, *options: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """`postsched run` in a process of its own, up and listening."""
    command = [sys.executable, "-m", "postsched", "run", "--no-live", *options]
    with subprocess.Popen(
        command, env=environment(home, **more), stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "running" in line, line
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=60)


def seen(url: str) -> list[dict[str, Any]]:
    """The requests that arrived at a loopback server, with the time of their arrival in ns."""
    with urllib.request.urlopen(url + "/_requests") as answer:
        return list(json.load(answer))


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share (0 to 1) of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
