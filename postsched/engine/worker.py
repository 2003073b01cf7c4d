"""Which worker this process is, and whether the owner of a claim still lives.

Whether a worker of this machine is dead is told by its bell (`wakeup`), not by its process
number, which may have been given to another process. The same kernel is recognised by its boot
id, so that a container or another host is never taken for dead: there, the claim runs out.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from postsched import wakeup
from postsched.store import outlook, workers
from postsched.store.workers import Worker


def register(connection: Connection, kind: str, mark: str, now: datetime) -> Worker:
    """Enter this process as a worker."""
    return workers.enter(connection, socket.gethostname(), boot_id(), os.getpid(), kind, mark, now)


def clear_dead(connection: Connection, bells: Path) -> None:
    """Bury the dead that hold nothing; what others hold is settled first, by the queue."""
    dead = [worker for worker in workers.every(connection) if is_alive(worker, bells) is False]
    bury(connection, bells, [w for w in dead if not outlook.holds_any(connection, w.id)])


def bury(connection: Connection, bells: Path, dead: Collection[Worker]) -> None:
    """Strike dead workers off the list, and remove their bells."""
    workers.remove(connection, [worker.id for worker in dead])
    for worker in dead:
        wakeup.remove(bells, worker.mark)


def is_alive(worker: Worker, bells: Path) -> bool | None:
    """Whether a worker lives; None if that can't be told from here."""
    return wakeup.alive(bells, worker.mark) if worker.boot == boot_id() else None


def boot_id() -> str:
    """A name for this run of this machine's kernel, as far as the system gives one."""
    source = Path("/proc/sys/kernel/random/boot_id")
    return source.read_text().strip() if source.exists() else socket.gethostname()
