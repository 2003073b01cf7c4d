"""What a disk keeps when the power goes: names and contents, as far as they were made durable.

Contents become durable by a sync of their file, names (of what was made, renamed or removed) by a
sync of their folder; until then they may or may not be there. Names come back in the order in
which they were changed, as on every file system with a journal; contents in any order, and torn
between sectors of 512 bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePath
from random import Random

SECTOR = 512


class Kind(StrEnum):
    """What a name stands for."""

    FILE = "file"
    FOLDER = "folder"
    BELL = "bell"
    """A named pipe."""


class Fate(StrEnum):
    """What becomes of that which was not made durable."""

    NOTHING = "nothing of it"
    ALL = "all of it"
    SOME = "some of it, torn"


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes at a place in a file; None: the file ends there from then on."""

    at: int
    data: bytes | None

    def apply(self, content: bytearray) -> None:
        """Do it."""
        if len(content) < self.at:
            content.extend(bytes(self.at - len(content)))
        if self.data is None:
            del content[self.at :]
        else:
            content[self.at : self.at + len(self.data)] = self.data

    def sectors(self) -> Iterator[Write]:
        """The pieces of it that a disk writes whole."""
        if self.data is None:
            yield self
            return
        start = self.at
        while start < self.at + len(self.data):
            end = min((start // SECTOR + 1) * SECTOR, self.at + len(self.data))
            yield Write(start, self.data[start - self.at : end - self.at])
            start = end


@dataclass(eq=False, slots=True)
class Node:
    """A file, folder or pipe, whatever its names. `now` is a file's content as programs see it,
    `pending` what of it is not durable, oldest first."""

    kind: Kind = Kind.FILE
    durable: bytes = b""
    now: bytearray = field(default_factory=bytearray)
    pending: list[Write] = field(default_factory=list)

    def write(self, write: Write) -> None:
        """A program writes."""
        write.apply(self.now)
        self.pending.append(write)

    def sync(self, count: int) -> None:
        """The oldest `count` of what is pending are durable."""
        done, self.pending = self.pending[:count], self.pending[count:]
        self.durable = _written(self.durable, done)

    def after(self, fate: Fate, rng: Random) -> bytes:
        """The content after a power loss."""
        if fate is Fate.SOME:
            return _written(self.durable, list(self._some(rng)))
        return _written(self.durable, self.pending if fate is Fate.ALL else [])

    def _some(self, rng: Random) -> Iterator[Write]:
        share = rng.choice((0.1, 0.5, 0.9))
        for write in self.pending:
            if rng.random() < 0.5:
                yield from (one for one in write.sectors() if rng.random() < share)
            elif rng.random() < share:
                yield write


def _written(content: bytes, writes: list[Write]) -> bytes:
    changed = bytearray(content)
    for write in writes:
        write.apply(changed)
    return bytes(changed)


Names = dict[str, Node]
Change = Mapping[str, Node | None]
"""Names that are given or taken at once: two in a rename."""


class Disk:
    """The tree below one folder; what is there at first is durable."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.names: Names = {}
        """As programs see them."""
        self.firm: Names = {}
        self._loose: list[Change] = []
        for path in sorted(root.rglob("*")):
            content = path.read_bytes() if path.is_file() else b""
            kind = Kind.FOLDER if path.is_dir() else Kind.FILE if path.is_file() else Kind.BELL
            self.names[str(path)] = Node(kind, content, bytearray(content))
        self.firm.update(self.names)

    def change(self, change: Change) -> None:
        """Names are given or taken."""
        _apply(change, self.names)
        self._loose.append(change)

    def sync_folder(self, folder: str) -> None:
        """The names in a folder are durable."""
        loose, self._loose = self._loose, []
        for change in loose:
            if any(str(PurePath(name).parent) == folder for name in change):
                _apply(change, self.firm)
            else:
                self._loose.append(change)

    def after(self, fate: Fate, rng: Random) -> dict[str, tuple[Kind, bytes]]:
        """What is there after a power loss."""
        names = dict(self.firm)
        count = len(self._loose) * (fate is Fate.ALL)
        if fate is Fate.SOME:
            count = rng.randint(0, len(self._loose))
        for change in self._loose[:count]:
            _apply(change, names)
        return {
            name: (node.kind, node.after(fate, rng) if node.kind is Kind.FILE else b"")
            for name, node in sorted(names.items())
            if self._hangs_together(name, names)
        }

    def _hangs_together(self, name: str, names: Names) -> bool:
        for parent in PurePath(name).parents:
            if parent == self.root:
                return True
            if str(parent) not in names:
                return False
        return False


def _apply(change: Change, names: Names) -> None:
    for name, node in change.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node
