"""What is recorded: posts written and published by real processes, to a Mastodon that loses
answers, a Telegram that can't be asked, and an outbox on the same disk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from postsched.domain.account import Account, AccountState
from postsched.store import accounts as account_rows
from postsched.store.opening import open_database
from postsched.testing.loopback import Loopback
from postsched.testing.mastodon import MastodonServer
from postsched.testing.picture import png
from postsched.testing.telegram import TOKEN, TelegramServer
from postsched.testing.wire import Answer, Request
from tests.matrix.stands import secret_text
from tests.power import tracing
from tests.power.tracing import Event


class ByArrival(Loopback):
    """A server for which no time passes while it answers: told the same again, it gives the same
    ids."""

    def __init__(self, **more: Any) -> None:
        self._moment = 0
        super().__init__(clock=lambda: self._moment or time.time_ns(), **more)

    def answer(self, request: Request) -> Answer:
        self._moment = request.at
        try:
            return super().answer(request)  # type: ignore[safe-super]  # of a server beside it
        finally:
            self._moment = 0


class _Mastodon(ByArrival, MastodonServer):
    pass


class _Telegram(ByArrival, TelegramServer):
    pass


NETWORKS: dict[str, Callable[..., Loopback]] = {"m": _Mastodon, "t": _Telegram}
"""Those with a server, by account; `o` is the outbox."""
PATIENCE = 60.0
LOST = 0.3
"""The share of answers that the networks lose."""


@dataclass
class Recording:
    """What happened. `requests` are what each network got, `acknowledged` the texts of posts with
    the instant (nanoseconds since the epoch) at which `add` had said that they are written;
    `before` is the folder before all that, `events` what was done to it."""

    home: Path
    accounts: Sequence[str]
    environment: dict[str, str]
    before: Path
    requests: dict[str, list[Request]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    acknowledged: list[tuple[int, str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


class Recorder:
    """Runs commands of postsched under strace."""

    def __init__(self, folder: Path, accounts: Sequence[str]) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self._logs = folder
        self.recording = Recording(self.home, accounts, _environment(self.home), folder / "before")

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command."""
        log = self._logs / f"{len(self.logs):03}.strace"
        log.touch()
        return subprocess.Popen(
            [*tracing.command(log), sys.executable, "-m", "postsched", *words],
            env=self.recording.environment, stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip

    def command(self, *words: str, given: str = "") -> None:
        """Run a command to its end."""
        process = self.start(*words)
        self.end(process, given)

    def end(self, process: subprocess.Popen[bytes], given: str = "") -> None:
        """Wait for the end of a command."""
        try:
            _, said = process.communicate(given.encode(), timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            send(signal.SIGKILL, process)
            raise
        assert process.returncode in (0, 1), said.decode()  # 1: a person is needed

    def add(self, text: str, *words: str) -> None:
        """Write a post to all accounts."""
        self.command("add", text, "--to", ",".join(self.recording.accounts), *words)
        self.recording.acknowledged.append((time.time_ns(), text))

    @property
    def logs(self) -> list[Path]:
        """What strace wrote, so far."""
        return sorted(self._logs.glob("*.strace"))


def send(what: signal.Signals, process: subprocess.Popen[bytes]) -> None:
    """Send a signal to what a strace traces; strace itself keeps it from its child."""
    tracer = process.pid
    for child in Path(f"/proc/{tracer}/task/{tracer}/children").read_text().split():
        os.kill(int(child), what)


def _environment(home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "POSTSCHED_DB": str(home / "posts.db"),
        "POSTSCHED_RETRY_DELAY": "1s",
        "POSTSCHED_CLAIM_TIMEOUT": "4s",  # nothing tells after a power loss that a worker is dead
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "PYTHONDONTWRITEBYTECODE": "1",
        "NO_PROXY": "*",
        "TZ": "UTC",
    }


def record(folder: Path, seed: int, accounts: Sequence[str], posts: int) -> Recording:
    """Record the adding and publishing of posts, two by `publish-due`, the others by `run`."""
    recorder = Recorder(folder, accounts)
    recording = recorder.recording
    with ExitStack() as stack:
        servers = {name: stack.enter_context(NETWORKS[name]()) for name in accounts if name != "o"}
        for number, (name, server) in enumerate(servers.items()):
            server.lose_answers(LOST, seed + number)
            recording.ports[name] = int(server.url.rpartition(":")[2])
        if posts > 1:
            _record_whole(recorder, servers, posts)
        else:
            _record_one(recorder, servers)
        recording.requests = {name: server.requests for name, server in servers.items()}
    recording.events = tracing.events(recorder.logs, recorder.home)
    return recording


def _record_one(recorder: Recorder, servers: Mapping[str, Any]) -> None:
    """One post; the accounts are there before, their tokens in the environment."""
    recording = recorder.recording
    recording.environment["POSTSCHED_TOKEN_T"] = TOKEN
    place = recorder.home / "outbox"
    place.mkdir()
    database = open_database(recording.environment["POSTSCHED_DB"])
    now, ok = datetime.now(UTC), AccountState.OK
    login = servers["t"].login()
    with database.write() as connection:
        for new in (
            Account(0, "1" * 32, "t", "telegram", now, login.url, login.user, state=ok),
            Account(0, "2" * 32, "o", "outbox", now, settings={"dir": str(place)}, state=ok),
        ):
            account_rows.insert(connection, new)
    database.close()
    _keep(recording)
    recorder.add("post 0", "--at", "now")
    recorder.command("run", "--until-idle", "--no-live")


def _record_whole(recorder: Recorder, servers: Mapping[str, Any], posts: int) -> None:
    """From the first account on, its token in the secrets file, a picture with every third post."""
    recording = recorder.recording
    recording.environment |= {"POSTSCHED_SECRETS": "file", "POSTSCHED_PASSPHRASE": "of a test"}
    picture = recorder.home.parent / "square.png"
    picture.write_bytes(png())
    _keep(recording)
    _accounts(recorder, servers)
    daemon = None
    for number in range(posts):
        if number == 2:
            recorder.command("publish-due")
            daemon = recorder.start("run", "--no-live")
        media = ["--media", str(picture)] if number % 3 == 0 else []
        recorder.add(f"post {number}", "--at", "now", *media)
    if daemon is not None:
        recorder.command("run", "--until-idle", "--no-live")
        send(signal.SIGTERM, daemon)
        recorder.end(daemon)


def _accounts(recorder: Recorder, servers: Mapping[str, Any]) -> None:
    for name in recorder.recording.accounts:
        if name == "o":
            place = f"dir={recorder.home / 'outbox'}"
            recorder.command("account", "add", name, "--platform", "outbox", "--set", place)
            continue
        login = servers[name].login()
        platform = {"m": "mastodon", "t": "telegram"}[name]
        words = ["account", "add", name, "--platform", platform, "--url", login.url]
        words += ["--user", login.user] if login.user else []
        recorder.command(*words, "--token-stdin", given=secret_text(login.secret))


def _keep(recording: Recording) -> None:
    shutil.copytree(recording.home, recording.before)
