"""What processes do to the files below a folder, seen by strace: every write to its last byte.

`traced` starts a process under strace; `events` reads what strace wrote, in the order in which it
happened, as changes to a `Disk`. Nothing here knows SQLite: it is what the system was asked for.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.power.disk import Disk, Kind, Node, Write

CALLS = (
    "openat,open,creat,write,pwrite64,pwritev,pwritev2,writev,ftruncate,truncate,fallocate,fsync,"
    "fdatasync,sync_file_range,msync,sync,syncfs,rename,renameat,renameat2,unlink,unlinkat,link,"
    "linkat,symlink,symlinkat,mkdir,mkdirat,rmdir,mknod,mknodat,copy_file_range,sendfile"
)
LINE = re.compile(r"(\d+) +(\d+)\.(\d+) (.*)")
DONE = re.compile(r"(\w+)\((.*)\) += (-?\d+)")
TOOK = re.compile(r"<(\d+\.\d+)>$")
RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)")
UNFINISHED = " <unfinished ...>"
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
HANDLE = re.compile(r"(?:^|, )(AT_FDCWD|\d+)<((?:\\x[0-9a-f]{2})*)>")
NUMBER = re.compile(r", (\d+)(?=,|$)")


def missing() -> str | None:
    """Why nothing can be traced here, None if it can."""
    if shutil.which("strace") is None:
        return "strace is not installed (Debian package strace)"
    done = subprocess.run([*command(Path(os.devnull)), "true"], capture_output=True, text=True)
    return f"strace can't be used here: {done.stderr.strip()}" if done.returncode else None


def command(log: Path) -> list[str]:
    """The words that trace what follows."""
    return ["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", "99999999",
            "-T", "-e", "signal=none", "--absolute-timestamps=unix,ns", "-e", f"trace={CALLS}",
            "-o", str(log)]  # fmt: skip


@dataclass(frozen=True)
class Event:
    """Something done to a disk, at nanoseconds since the epoch. `sync`: it makes something
    durable."""

    at: int
    sync: bool
    done: Callable[[Disk], None]


@dataclass(frozen=True)
class _Call:
    log: str
    name: str
    arguments: str
    result: int
    begin: int
    end: int

    @property
    def strings(self) -> list[bytes]:
        return [_bytes(found) for found in STRING.findall(self.arguments)]

    @property
    def handles(self) -> list[tuple[str, str]]:
        return [(fd, os.fsdecode(_bytes(path))) for fd, path in HANDLE.findall(self.arguments)]

    @property
    def numbers(self) -> list[int]:
        return [int(found) for found in NUMBER.findall(self.arguments)]


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _calls(log: Path) -> Iterator[_Call]:
    """The calls that succeeded."""
    open_calls: dict[str, tuple[int, str]] = {}
    for line in log.read_text("ascii").splitlines():
        matched = LINE.fullmatch(line)
        assert matched, line[:200]
        thread, body = matched[1], matched[4]
        at = begin = int(matched[2]) * 10**9 + int(matched[3])
        if body.endswith(UNFINISHED):
            open_calls[thread] = (at, body.removesuffix(UNFINISHED))
            continue
        if resumed := RESUMED.fullmatch(body):
            begin, head = open_calls.pop(thread)
            body = head + resumed[1]
        if (found := DONE.match(body)) and int(found[3]) >= 0:
            took = TOOK.search(body)
            end = begin + int(float(took[1]) * 1e9) if took else at
            yield _Call(str(log), found[1], found[2], int(found[3]), begin, end)


def events(logs: Sequence[Path], root: Path) -> list[Event]:
    """What happened below a folder, in order."""
    reader = _Reader(str(root))
    calls = sorted((call for log in logs for call in _calls(log)), key=lambda call: call.end)
    found: list[Event] = []
    for call in calls:
        found += reader.read(call)
    return sorted(found, key=lambda event: event.at)


class _Reader:
    """Makes events of calls; knows how far each open file was written."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._offsets: dict[tuple[str, str], int | None] = {}

    def read(self, call: _Call) -> Iterator[Event]:
        """The events of one call."""
        made: Any = getattr(self, f"_{call.name}", None)
        paths = [path for _, path in call.handles] + [os.fsdecode(s) for s in call.strings[:1]]
        ours = any(path.startswith(self._root) for path in paths) or call.name in ("sync", "syncfs")
        if not ours:
            return
        if made is None:
            raise AssertionError(f"nobody knows what {call.name} does to a disk: {call}"[:300])
        yield from made(call)

    def _path(self, call: _Call, number: int = 0) -> str:
        """A path that is named, from the folder it is relative to."""
        name = os.fsdecode(call.strings[number])
        handles = [path for _, path in call.handles]
        folder = handles[min(number, len(handles) - 1)] if handles else "/"
        return os.path.normpath(os.path.join(folder, name))

    def _openat(self, call: _Call) -> Iterator[Event]:
        path, flags = self._path(call), call.arguments
        if "O_WRONLY" in flags or "O_RDWR" in flags:
            appends = "O_APPEND" in flags
            self._offsets[call.log, str(call.result)] = None if appends else 0
            makes, empties = "O_CREAT" in flags, "O_TRUNC" in flags

            def done(disk: Disk) -> None:
                if makes and path not in disk.names:
                    disk.change({path: Node()})
                node = disk.names.get(path)
                if empties and node and node.now:
                    node.write(Write(0, None))

            yield Event(call.end, False, done)

    def _write(self, call: _Call) -> Iterator[Event]:
        (fd, path), *_ = call.handles
        at = self._offsets.get((call.log, fd), 0)
        data = call.strings[0][: call.result]
        if at is not None:
            self._offsets[call.log, fd] = at + len(data)
        yield Event(call.end, False, lambda disk: _write(disk, path, at, data))

    def _pwrite64(self, call: _Call) -> Iterator[Event]:
        (_, path), *_ = call.handles
        at, data = call.numbers[-1], call.strings[0][: call.result]
        yield Event(call.end, False, lambda disk: _write(disk, path, at, data))

    def _ftruncate(self, call: _Call) -> Iterator[Event]:
        (_, path), *_ = call.handles
        yield Event(call.end, False, lambda disk: _write(disk, path, call.numbers[-1], None))

    def _fdatasync(self, call: _Call) -> Iterator[Event]:
        """What was written before it began is durable when it ends."""
        (_, path), *_ = call.handles
        seen: list[tuple[Node, int]] = []

        def begun(disk: Disk) -> None:
            node = disk.names.get(path)
            if node is not None:
                seen.append((node, len(node.pending)))

        def done(disk: Disk) -> None:
            for node, count in seen:
                node.sync(count)
            if path == str(disk.root) or (seen and seen[0][0].kind is Kind.FOLDER):
                disk.sync_folder(path)

        yield Event(call.begin, False, begun)
        yield Event(call.end, True, done)

    _fsync = _fdatasync

    def _rename(self, call: _Call) -> Iterator[Event]:
        old, new = self._path(call), self._path(call, 1)

        def done(disk: Disk) -> None:
            inside = [name for name in disk.names if name.startswith(old + "/")]
            moved = {new + name.removeprefix(old): disk.names[name] for name in [old, *inside]}
            disk.change({**dict.fromkeys([old, *inside]), **moved})

        yield Event(call.end, False, done)

    _renameat = _renameat2 = _rename

    def _link(self, call: _Call) -> Iterator[Event]:
        old, new = self._path(call), self._path(call, 1)
        yield Event(call.end, False, lambda disk: disk.change({new: disk.names[old]}))

    _linkat = _link

    def _unlink(self, call: _Call) -> Iterator[Event]:
        path = self._path(call)
        yield Event(call.end, False, lambda disk: disk.change({path: None}))

    _unlinkat = _rmdir = _unlink

    def _mkdir(self, call: _Call) -> Iterator[Event]:
        path = self._path(call)
        yield Event(call.end, False, lambda disk: disk.change({path: Node(Kind.FOLDER)}))

    _mkdirat = _mkdir

    def _mknodat(self, call: _Call) -> Iterator[Event]:
        path = self._path(call)
        yield Event(call.end, False, lambda disk: disk.change({path: Node(Kind.BELL)}))

    _mknod = _mknodat


def _write(disk: Disk, path: str, at: int | None, data: bytes | None) -> None:
    node = disk.names.get(path)
    if node is None or node.kind is not Kind.FILE:
        return  # a file without a name is gone after a power loss anyway
    node.write(Write(len(node.now) if at is None else at, data))
