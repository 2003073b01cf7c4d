"""What the outbox's pages show: the newest posts of a folder, grouped to threads."""

from __future__ import annotations

import heapq
import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from postsched.platforms.outbox.document import STEM, Entry, read


@dataclass(frozen=True, slots=True)
class Thread:
    """A post: its first part, then the further ones and the comment in order."""

    entries: tuple[Entry, ...]

    @property
    def first(self) -> Entry:
        """The part that the others follow."""
        return self.entries[0]


def newest(posts: Path, count: int) -> list[Thread]:
    """The threads of the newest `count` files, newest first. The names sort by time, so that
    nothing else is opened, but for the earlier parts of a thread that the count would cut."""
    names = (name for name in os.listdir(posts) if name.endswith(".md"))
    entries: dict[str, Entry] = {}
    wanted = {name.removesuffix(".md") for name in heapq.nlargest(count, names)}
    while wanted:
        found = [entry for stem in wanted if (entry := _read(posts, stem))]
        entries |= {entry.stem: entry for entry in found}
        wanted = {e.in_reply_to for e in found if e.in_reply_to} - entries.keys()
        wanted = {stem for stem in wanted if STEM.fullmatch(stem)}
    return _grouped(entries)


def _read(posts: Path, stem: str) -> Entry | None:
    try:
        return read(stem, (posts / f"{stem}.md").read_bytes())
    except OSError:  # deleted meanwhile, or not for us to read: the page goes without it
        return None


def _grouped(entries: dict[str, Entry]) -> list[Thread]:
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries.values():
        groups[_root(entry, entries)].append(entry)
    threads = [
        Thread(tuple(sorted(group, key=lambda e: (e.comment, e.part, e.date, e.stem))))
        for group in groups.values()
    ]
    return sorted(threads, key=lambda t: (t.first.date, t.first.stem), reverse=True)


def _root(entry: Entry, entries: dict[str, Entry]) -> str:
    seen: set[str] = set()
    while entry.in_reply_to in entries and entry.stem not in seen:
        seen.add(entry.stem)
        entry = entries[entry.in_reply_to]
    return entry.stem
