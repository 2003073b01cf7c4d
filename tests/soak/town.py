"""The networks of a soak, each with an account, and what goes wrong with them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Self

from postsched.testing.faults import Fault, FaultKind
from postsched.testing.network import Seen
from postsched.testing.wire import Answer
from tests.matrix.stands import STANDS, secret_text

ACCOUNTS = ("outbox", "mastodon", "bluesky", "telegram", "discord-webhook", "x")
"""The stands, which are the accounts' names, too: by key, by record, by asking, by nobody."""
LOST = 0.1
"""The share of answers that are lost at any time."""
FULL = Answer(429, {"error": "slow down", "retry_after": 1}, {"Retry-After": "1"})
PATIENCE = 120.0
"""Seconds after which a command counts as hanging."""


class Town:
    """The networks, and the home from which they are posted to. `servers` are by account, None for
    the outbox."""

    def __init__(self, home: Path, rng: Random) -> None:
        self.home = home
        self.servers: dict[str, Any] = {}
        self.faults: Counter[str] = Counter()
        self.took = 0.0
        """Seconds that the last command took."""
        self._rng = rng
        self._stack = ExitStack()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "POSTSCHED_DB": str(home / "soak.db"),
            "POSTSCHED_RETRY_DELAY": "1s",
            "POSTSCHED_TIMEOUT": "3s",
            "POSTSCHED_CLAIM_TIMEOUT": "10s",
            "POSTSCHED_ATTEMPTS": "5",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "NO_PROXY": "*",
            "TZ": "UTC",
        }

    def __enter__(self) -> Self:
        for number, name in enumerate(ACCOUNTS):
            stand = STANDS[name]
            make = stand.server
            server = self._stack.enter_context(make()) if make else None
            login = stand.login(server) if server else None
            if login is not None:
                variable = "POSTSCHED_TOKEN_" + name.upper().replace("-", "_")
                self.environment[variable] = secret_text(login.secret)
            words = stand.account(self.home, login)
            words[words.index("me")] = name
            code, _, said = self.call(*words)
            assert code == 0, said
            if server is not None:
                server.lose_answers(LOST, self._rng.randrange(1000) + number)
            self.servers[name] = server
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a worker; what it says goes into the log."""
        with (self.home / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "postsched", *words], env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
            log.write(f"{datetime.now(UTC)}: started {words} as {process.pid}\n".encode())
        return process

    def log(self) -> list[str]:
        """What the workers said, and what was done to them."""
        return (self.home / "log").read_text(errors="replace").splitlines()

    def note(self, line: str) -> None:
        """Write into the log."""
        with (self.home / "log").open("a") as log:
            log.write(f"{datetime.now(UTC)}: {line}\n")

    def call(self, *words: str, kill_after: float | None = None) -> tuple[int, str, str]:
        """Run a command; its exit code, output and messages. Killed after so many seconds."""
        begun = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "postsched", *words], env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            out, err = process.communicate(timeout=kill_after or PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            assert kill_after, f"it hangs: {words}: {err[-3000:]}"
        self.took = time.monotonic() - begun
        return process.returncode, out, err

    def trouble(self) -> None:
        """Let something go wrong with the next post to some network, now and then."""
        server = self.servers[self._rng.choice(ACCOUNTS)]
        if server is None or self._rng.random() < 0.7:
            return
        kind = self._rng.choice(list(FaultKind))
        full = kind is FaultKind.ANSWER and self._rng.random() < 0.5
        fault = Fault(kind, FULL, 5.0) if full else Fault(kind, seconds=5.0)
        server.program_publishing(fault)
        self.note(f"fault {kind}")
        self.faults[kind] += 1

    def peace(self) -> None:
        """Nothing goes wrong any more."""
        for server in self.servers.values():
            if server is not None:
                server.faults.clear()

    def out(self, account: str) -> list[Seen]:
        """What is out there."""
        return STANDS[account].out(self.servers[account], self.home)

    def summary(self) -> str:
        """What went wrong, in a few words."""
        return f"{self.faults.total()} faults of networks besides {LOST:.0%} of answers lost"
