"""Whether the workers on record live: by their bells on this machine, and by their signs of life
where they may run on others."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from postsched import wakeup
from postsched.store.workers import Worker

SILENT_AFTER = timedelta(seconds=90)
"""After so long without a sign of life, of which there are several a minute, a worker is silent."""


@dataclass(frozen=True, slots=True)
class Present:
    """The workers that live, those of which nothing is heard (they may be dead, or cut off), and
    those that ended without signing off."""

    living: list[Worker] = field(default_factory=list)
    silent: list[Worker] = field(default_factory=list)
    dead: list[Worker] = field(default_factory=list)


def present(known: Iterable[Worker], bells: Path, now: datetime) -> Present:
    """The workers on a list, told apart at that instant (UTC)."""
    found = Present()
    for worker in known:
        answer = wakeup.alive(bells, worker.mark)
        if worker.seen_at is None:
            alive = answer or not wakeup.FIFO  # where bells tell nothing all are taken to live
            (found.living if alive else found.dead).append(worker)
        elif answer is False and worker.boot == boot_id():
            found.dead.append(worker)
        else:
            heard = answer or now - worker.seen_at <= SILENT_AFTER
            (found.living if heard else found.silent).append(worker)
    return found


def boot_id() -> str:
    """A name for this run of this machine's kernel, as far as the system gives one."""
    source = Path("/proc/sys/kernel/random/boot_id")
    return source.read_text().strip() if source.exists() else socket.gethostname()
