"""What the rows of an import come to, and the file in which that waits until all are judged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from postsched.store import bulk
from postsched.store.moulds import Cast, Mould


@dataclass(slots=True)
class New:
    """A new post, packed; `uid` tells later rows with the same key which post is theirs."""

    key: str
    digest: str
    uid: str
    packed: bulk.Packed


@dataclass(slots=True)
class Like:
    """A new post that is cast in a mould."""

    mould: Mould
    own: Cast

    @property
    def uid(self) -> str:
        """The uid of the post."""
        return self.own.uid


Entry = int | str | New | Like
"""What a row comes to: the id of a post that is known, the uid of a new post of an earlier row, or
a new post."""


class Waiting:
    """Entries in a file, in order. The moulds, of which there are few, are kept in memory."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._moulds: list[Mould] = []
        self._numbers: dict[int, int] = {}
        self.new = 0

    def put(self, entries: Sequence[Entry]) -> None:
        """Add entries."""
        plain = list(map(self._plain, entries))
        self.new += sum(isinstance(one, tuple) for one in plain)
        self._file.write(json.dumps(plain, ensure_ascii=False, check_circular=False) + "\n")

    def chunks(self) -> Iterator[list[int | str | New]]:
        """All entries, as they were put."""
        self._file.seek(0)
        for line in self._file:
            yield [self._new(*one) if isinstance(one, list) else one for one in json.loads(line)]

    def _plain(self, entry: Entry) -> Any:
        if isinstance(entry, Like):
            return (self._number(entry.mould), *entry.own)
        if isinstance(entry, New):
            return None, entry.key, entry.digest, entry.uid, entry.packed
        return entry

    def _number(self, mould: Mould) -> int:
        if id(mould) not in self._numbers:
            self._numbers[id(mould)] = len(self._moulds)
            self._moulds.append(mould)
        return self._numbers[id(mould)]

    def _new(self, mould: int | None, *values: Any) -> New:
        if mould is None:
            return New(*values)
        own = Cast(*values)
        return New(own.key, own.digest, own.uid, self._moulds[mould].cast(own))
