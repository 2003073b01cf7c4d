"""The boundaries of a publish, as a process of postsched passes them: each transaction that wrote
something, each write of the mark outside the database, each request, and on the outbox each thing
that is done to its files.

In a recording they are written to a file, line by line. In a case the process kills itself with
SIGKILL right before or after one of them. The seams: SQLAlchemy's events and the driver's commit,
`os.pwrite`, what sends a request, Python's audit events.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from postsched.highwater import HEAD
from tests.matrix.world import Traffic

if TYPE_CHECKING:
    from httpx import Request

    from postsched.transport.connection import Answer

WRITES = re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM|REPLACE INTO)\s+(\w+)", re.IGNORECASE)
FILES = {
    "open": "open", "os.rename": "rename", "os.link": "link", "os.remove": "remove",
    "os.mkdir": "mkdir",
}  # fmt: skip
"""Audit events -> what is done to a file."""
TARGET = {"os.rename": 1, "os.link": 1}
"""Where the new name is among the arguments of an event, else the first."""
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True, slots=True, order=True)
class Boundary:
    """One of them: commit, mark, request, file, or a request in `rehearsal`, to nobody; its name,
    and its number among those of that name."""

    kind: str
    name: str
    number: int

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" + (f" #{self.number}" if self.number > 1 else "")


@dataclass(frozen=True, slots=True)
class Death:
    """Where a process kills itself."""

    at: Boundary
    after: bool


class Watcher:
    """Counts the boundaries; `port` is the network's, `record` the file to write them to, `death`
    where to die."""

    def __init__(
        self, traffic: Traffic, port: int, record: Path | None, death: Death | None
    ) -> None:
        self._port = port
        self._traffic = traffic
        self._record = record
        self._death = death
        self._seen: Counter[tuple[str, str]] = Counter()

    def install(self, files: Path | None) -> None:
        """Watch from now on, until the process ends; `files` is the outbox."""
        self._watch_commits()
        self._watch_marks()
        self._watch_requests()
        if files is not None:
            self._watch_files(str(files))

    def _before(self, kind: str, name: str) -> Boundary:
        self._seen[kind, name] += 1
        boundary = Boundary(kind, name, self._seen[kind, name])
        if self._record is not None:
            with self._record.open("a") as file:
                file.write(f"{kind}\t{name}\t{boundary.number}\n")
        self._die_at(boundary, after=False)
        return boundary

    def _die_at(self, boundary: Boundary, *, after: bool) -> None:
        if self._death == Death(boundary, after):
            os.kill(os.getpid(), signal.SIGKILL)

    def _watch_commits(self) -> None:
        from sqlalchemy import Engine, event
        from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite as Dialect

        written: dict[int, list[str]] = {}

        def executed(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if found := WRITES.match(statement):
                what = f"{found[1].split()[0].lower()} {found[2]}"
                names = written.setdefault(id(connection.connection.dbapi_connection), [])
                if what not in names:
                    names.append(what)

        def commit(dialect: Any, connection: Any) -> None:
            names = written.pop(id(connection.dbapi_connection), None)
            boundary = self._before("commit", ", ".join(names)) if names else None
            do_commit(dialect, connection)
            if boundary is not None:
                self._die_at(boundary, after=True)

        do_commit: Callable[[Any, Any], None] = Dialect.do_commit
        event.listen(Engine, "before_cursor_execute", executed)
        Dialect.do_commit = commit  # type: ignore[method-assign]  # what SQLAlchemy calls last

    def _watch_marks(self) -> None:
        write = os.pwrite

        def watched(descriptor: int, content: bytes, offset: int) -> int:
            if not content.startswith(HEAD.encode()):
                return write(descriptor, content, offset)
            boundary = self._before("mark", "rise")
            written = write(descriptor, content, offset)
            self._die_at(boundary, after=True)
            return written

        os.pwrite = watched  # type: ignore[assignment]  # of bytes, as `highwater` writes them

    def _watch_requests(self) -> None:
        from postsched.transport.wire import Wire

        send = Wire.send

        async def watched(wire: Wire, request: Request, *limits: float) -> Answer:
            kind = "request" if request.url.port == self._port else "rehearsal"
            boundary = self._before(kind, request_name(request.method, request.url.path))
            self._traffic.requests += 1
            try:
                return await send(wire, request, *limits)
            finally:
                self._traffic.requests -= 1
                self._die_at(boundary, after=True)

        Wire.send = watched  # type: ignore[method-assign,assignment]  # all go through it

    def _watch_files(self, folder: str) -> None:
        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event not in FILES or not (place := str(arguments[TARGET.get(event, 0)])):
                return
            reads = event == "open" and not (arguments[2] or 0) & WRITING
            if place.startswith(folder) and not reads:
                self._before("file", f"{FILES[event]} {file_name(place, folder)}")

        sys.addaudithook(hook)


def request_name(method: str, path: str) -> str:
    """A request's method and path, what differs from run to run left out."""
    parts = [_plain(part) for part in path.split("/")]
    return f"{method} {'/'.join(parts)}"


def file_name(path: str, folder: str) -> str:
    """A path beneath the outbox, what differs from run to run left out."""
    return re.sub(r"[0-9a-z_-]*\d[0-9a-z_-]*", "*", os.path.relpath(path, folder))


def _plain(part: str) -> str:
    if re.fullmatch(r"v?\d+(\.\d+)?", part) and len(part) <= 5:
        return part
    return "*" if re.search(r"\d{3}|:|%3A", part) or len(part) > 40 else part


def recorded(file: Path) -> list[Boundary]:
    """The boundaries that a recording wrote, in order."""
    rows = (line.split("\t") for line in file.read_text().splitlines())
    return [Boundary(kind, name, int(number)) for kind, name, number in rows]
