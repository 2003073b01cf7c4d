"""Which worker this process is, and whether the owner of a claim still lives.

Whether a worker of this machine is dead is told by its bell (`wakeup`), not by its process
number, which may have been given to another process. The same kernel is recognised by its boot
id, so that a container or another host is never taken for dead: there, the claim runs out.
"""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from postsched import wakeup
from postsched.domain.errors import StoreUnavailable
from postsched.presence import boot_id
from postsched.store import outlook, workers
from postsched.store.database import Database
from postsched.store.workers import Worker

FORGOTTEN = timedelta(minutes=10)
"""After so long without a sign of life a worker is gone, wherever it was."""


def register(connection: Connection, kind: str, mark: str, now: datetime) -> Worker:
    """Enter this process as a worker."""
    return workers.enter(connection, socket.gethostname(), boot_id(), os.getpid(), kind, mark, now)


def strike_dead(connection: Connection, bells: Path, now: datetime) -> None:
    """Strike the dead that hold nothing off the list; what others hold is settled first, by the
    queue."""
    dead = [
        worker for worker in workers.every(connection)
        if is_alive(worker, bells) is False
        or (worker.seen_at is not None and now - worker.seen_at > FORGOTTEN)
    ]  # fmt: skip
    idle = [worker.id for worker in dead if not outlook.holds_any(connection, worker.id)]
    workers.remove(connection, idle)


def clear_bells(database: Database, bells: Path) -> None:
    """Remove the bells of the dead that are not on the list (any more).

    Never inside the transaction that strikes them off: a bell is the only sign that its worker is
    dead. Were it removed and this process killed before the commit, what that worker holds would
    wait for the end of its claim. Never fails: the next worker tries again.
    """
    dead = wakeup.dead(bells)  # before the list is read: who is dead is entered no more
    if not dead:
        return
    try:
        with database.read() as connection:
            listed = {worker.mark for worker in workers.every(connection)}
    except StoreUnavailable:
        return
    for mark in dead:
        if mark not in listed:
            wakeup.remove(bells, mark)


def is_alive(worker: Worker, bells: Path) -> bool | None:
    """Whether a worker lives; None if that can't be told from here."""
    return wakeup.alive(bells, worker.mark) if worker.boot == boot_id() else None
