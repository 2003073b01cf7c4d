"""Where a case is played: a home folder, a server in a process of its own, and processes of
postsched, all forked from this one, which has loaded everything and has no threads.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import sqlite3
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote

from postsched.platforms.base import Login
from postsched.testing.faults import Fault, FaultKind, Faults
from postsched.testing.loopback import Loopback
from postsched.testing.network import Seen
from postsched.testing.wire import Answer, Request
from tests.matrix.boundaries import Boundary, Death, Watcher, request_name
from tests.matrix.stands import Stand, secret_text
from tests.matrix.world import World, enter, environment

PATIENCE = 120
"""Real seconds that a process may take."""
IMPATIENCE = 0.25
"""Real seconds after which an answer does not come any more, where none will."""
ANSWER_LOST, REQUEST_LOST = "answer lost", "request lost"
FAULTS = {
    REQUEST_LOST: Fault(FaultKind.RESET),
    ANSWER_LOST: Fault(FaultKind.RESET_AFTER),
    "5xx": Fault(FaultKind.ANSWER_AFTER, Answer(502, b"<html>Bad Gateway")),
    "timeout": Fault(FaultKind.HANG_AFTER),
    "truncated": Fault(FaultKind.TRUNCATED),
    "not json": Fault(FaultKind.NOT_JSON),
}
"""What becomes of a request, or of its answer after it was carried out."""
REPEATED = "duplicate"
"""A proxy sends the request twice, and the second answer comes back."""


@dataclass(frozen=True, slots=True)
class Call:
    """How a process of postsched ended: its exit code, less than 0 for a signal; what it said."""

    code: int
    said: str


@dataclass(frozen=True, slots=True)
class State:
    """The one delivery, as the database has it: the ids of its steps, None for those not out;
    `sent`: the next of them may have been sent, as far as is on record."""

    status: str
    next_at: float | None
    ids: tuple[str | None, ...]
    problem: str
    sent: bool


class _AtRequest(Faults):
    """Lets one request meet a fault."""

    def __init__(self, server: Loopback, at: Boundary, kind: str) -> None:
        super().__init__()
        self._server, self._at, self._kind = server, at, kind
        self._counts: Counter[str] = Counter()
        self.hit = False

    def next_for(self, request: Request) -> Fault | None:
        """What this request meets."""
        name = request_name(request.method, unquote(request.path))
        self._counts[name] += 1
        if Boundary("request", name, self._counts[name]) != self._at:
            return None
        self.hit = True
        if self._kind == REPEATED:
            self._server.answer(request)
            return None
        return FAULTS[self._kind]


def _first_publishing(server: Loopback) -> Boundary:
    first = server.published_requests()[0]
    names = [request_name(one.method, unquote(one.path)) for one in server.requests]
    place = next(n for n, one in enumerate(server.requests) if one is first)
    return Boundary("request", names[place], names[: place + 1].count(names[place]))


class Stage:
    """One home folder for one network, in a world with a time of its own."""

    def __init__(self, stand: Stand, home: Path, world: World, port: int) -> None:
        self.stand = stand
        self.home = home
        self.world = world
        self._port = port
        self._kept = home.with_name(home.name + ".kept")
        self._secret = ""
        self._line: Connection | None = None

    # ---- the home

    def keep(self) -> None:
        """Remember the home as it is now, for `restore`."""
        shutil.copytree(self.home, self._kept)

    def restore(self) -> None:
        """The home as it was kept, at its time."""
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self._kept, self.home)
        self.world.begin()

    def state(self) -> State:
        """The delivery as it is now."""
        path = f"file:{self.home / 'matrix.db'}?mode=ro"
        with closing(sqlite3.connect(path, uri=True)) as database:
            rows = database.execute(
                "SELECT status, next_at, steps, error_message, sent_at FROM deliveries"
            ).fetchall()
        assert len(rows) == 1, rows
        status, next_at, steps, message, sent_at = rows[0]
        ids = [(step.get("out") or {}).get("id") for step in json.loads(steps or "[]")]
        at = next_at and next_at / 1e6
        return State(status, at, tuple(ids), message or "", sent_at is not None)

    def facts(self) -> dict[str, Any]:
        """What the network has told of the account."""
        path = f"file:{self.home / 'matrix.db'}?mode=ro"
        with closing(sqlite3.connect(path, uri=True)) as database:
            ((facts,),) = database.execute("SELECT facts FROM accounts WHERE name = 'me'")
        return dict(json.loads(facts or "{}"))

    # ---- the network

    @contextmanager
    def network(self, at: Boundary | None = None, kind: str = "") -> Iterator[None]:
        """A fresh server; the request named meets the fault of that kind."""
        if self.stand.server is None:
            yield
            return
        self._line, there = Pipe()
        pid = os.fork()
        if pid == 0:
            self._guarded(lambda: self._serve(there, at, kind))
        there.close()
        try:
            self._port = self._asked("port")
            yield
        finally:
            self._line.close()
            self._line = None
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    @property
    def login(self) -> Login | None:
        """The login to the network, None for the outbox."""
        return None if self._line is None else self._asked("login")

    def out(self) -> list[Seen]:
        """What is out, by the network's ledger."""
        if self._line is None:
            return self.stand.out(None, self.home)
        found: list[Seen] = self._asked("out")
        return found

    @property
    def publishing(self) -> Boundary | None:
        """The first request that came and made something visible; None on the outbox."""
        return None if self._line is None else self._asked("publishing")

    @property
    def hit(self) -> bool:
        """Whether the request that was to meet a fault came."""
        return bool(self._asked("hit"))

    def _asked(self, question: str) -> Any:
        assert self._line is not None
        self._line.send(question)
        return pickle.loads(self._line.recv_bytes())

    def _serve(self, line: Connection, at: Boundary | None, kind: str) -> None:
        assert self.stand.server is not None
        assert self._line is not None
        self._line.close()  # else it would not be seen that the other process has ended
        server = self.stand.server(port=self._port, clock=self.world.nanoseconds)
        if at is not None:
            server.faults = _AtRequest(server, at, kind)
        answers: dict[str, Callable[[], Any]] = {
            "port": lambda: int(server.url.rpartition(":")[2]),
            "login": lambda: self.stand.login(server),
            "out": lambda: self.stand.out(server, self.home),
            "publishing": lambda: _first_publishing(server),
            "hit": lambda: getattr(server.faults, "hit", False),
        }

        def reply() -> None:
            while True:
                try:
                    question = line.recv()
                except (EOFError, OSError):
                    os._exit(0)
                line.send_bytes(pickle.dumps(answers[question]()))

        server.serve(threading.Thread(target=reply, daemon=True).start)

    # ---- postsched

    def let_in(self, login: Login | None) -> None:
        """Have the account's secret in the environment."""
        self._secret = secret_text(login.secret if login else None)

    @property
    def environment(self) -> Mapping[str, str]:
        """That of its processes."""
        return environment(str(self.home), self._secret)

    def call(
        self,
        *words: str,
        record: Path | None = None,
        death: Death | None = None,
        patience: float = 20.0,
    ) -> Call:
        """Run a command in a process of its own, to its end."""
        said = self.home / "said"
        pid = os.fork()
        if pid == 0:
            self._guarded(lambda: self._postsched(words, said, record, death, patience))
        _, status = os.waitpid(pid, 0)
        return Call(os.waitstatus_to_exitcode(status), said.read_text(errors="replace"))

    def _postsched(
        self,
        words: tuple[str, ...],
        said: Path,
        record: Path | None,
        death: Death | None,
        patience: float,
    ) -> None:
        signal.alarm(PATIENCE)
        with said.open("wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(self.home)
        os.environ.clear()
        os.environ.update(self.environment)
        traffic = enter(self.world, patience)
        files = self.home / "outbox" if self.stand.server is None else None
        Watcher(traffic, self._port, record, death).install(files)
        from postsched.cli.app import run

        code = run(list(words))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    @staticmethod
    def _guarded(work: Callable[[], None]) -> NoReturn:
        """Do a forked process's work; it never comes back to what this process does."""
        try:
            work()
        except BaseException:  # noqa: BLE001 - said, and the process ends
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(70)
