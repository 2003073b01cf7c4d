"""Who a worker is: its row in the database, and whether the owner of a claim still lives.

Whether a worker of this machine is dead is told by its bell (`wakeup`), not by its process
number, which may have been given to another process. The same kernel is recognised by its boot
id, so that a container or another host is never taken for dead: there, the claim runs out.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, delete, select

from postsched import wakeup
from postsched.store import queue
from postsched.store.tables import workers


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that claims deliveries. `kind` is run or publish-due; `since` is UTC."""

    id: int
    host: str
    boot: str
    pid: int
    kind: str
    mark: str
    since: datetime


def register(connection: Connection, kind: str, mark: str, now: datetime) -> Worker:
    """Enter this process as a worker."""
    values = {
        "host": socket.gethostname(),
        "boot": boot_id(),
        "pid": os.getpid(),
        "kind": kind,
        "mark": mark,
        "since": now,
    }
    result = connection.execute(workers.insert(), values)
    assert result.inserted_primary_key is not None
    return Worker(id=result.inserted_primary_key[0], **values)  # type: ignore[arg-type]


def remove(connection: Connection, worker_ids: Iterable[int]) -> None:
    """Strike workers off the list."""
    connection.execute(delete(workers).where(workers.c.id.in_(list(worker_ids))))


def clear_dead(connection: Connection, bells: Path) -> None:
    """Strike the dead off the list that hold nothing, and remove their bells; what others hold is
    settled first, by the queue."""
    for worker in every(connection):
        if is_alive(worker, bells) is False and not queue.holds_any(connection, worker.id):
            remove(connection, [worker.id])
            wakeup.remove(bells, worker.mark)


def every(connection: Connection) -> list[Worker]:
    """All workers on the list, dead ones too, oldest first."""
    return [Worker(**row._mapping) for row in connection.execute(select(workers).order_by("id"))]


def is_alive(worker: Worker, bells: Path) -> bool | None:
    """Whether a worker lives; None if that can't be told from here."""
    return wakeup.alive(bells, worker.mark) if worker.boot == boot_id() else None


def boot_id() -> str:
    """A name for this run of this machine's kernel, as far as the system gives one."""
    source = Path("/proc/sys/kernel/random/boot_id")
    return source.read_text().strip() if source.exists() else socket.gethostname()
