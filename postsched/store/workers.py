"""The workers on record: the processes that claim deliveries."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from postsched.store.compiled import ByIds, Compiled
from postsched.store.sharing import GATES, gate_of, is_shared
from postsched.store.tables import workers


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that claims deliveries. `kind` is run or publish-due; `boot` names this run of its
    machine's kernel, `mark` its bell; `since` it is on the list, and `seen_at` it last gave a sign
    of life, if it does (UTC)."""

    id: int
    host: str
    boot: str
    pid: int
    kind: str
    mark: str
    since: datetime
    seen_at: datetime | None = None


def enter(
    connection: Connection, host: str, boot: str, pid: int, kind: str, mark: str, since: datetime
) -> Worker:
    """Put a process on the list. Its id is such that it goes through a gate of its own, if there
    is one left."""
    values = (host, boot, pid, kind, mark, since)
    row = dict(zip(("host", "boot", "pid", "kind", "mark", "since"), values, strict=True))
    taken = {gate_of(one.id) for one in every(connection)} if is_shared(connection) else set()
    for _ in range(GATES):
        result = connection.execute(workers.insert(), row)
        assert result.inserted_primary_key is not None
        worker = Worker(result.inserted_primary_key[0], *values)
        if gate_of(worker.id) not in taken or len(taken) == GATES:
            break
        remove(connection, [worker.id])  # no id is given twice: the next is that of the next gate
    return worker


def seen(connection: Connection, worker_id: int, now: datetime) -> None:
    """Note a sign of life."""
    connection.execute(update(workers).where(workers.c.id == worker_id).values(seen_at=now))


def remove(connection: Connection, worker_ids: Iterable[int]) -> None:
    """Strike workers off the list."""
    connection.execute(delete(workers).where(workers.c.id.in_(list(worker_ids))))


EVERY = Compiled(lambda connection: select(workers).order_by(workers.c.id))
BY_IDS = ByIds(lambda ids: select(workers).where(workers.c.id.in_(ids)))


def by_ids(connection: Connection, ids: Collection[int]) -> list[Worker]:
    """Those of them that are on the list, oldest first."""
    rows = BY_IDS.records(connection, sorted(ids))
    return sorted((Worker(*row) for row in rows), key=lambda one: one.id)


def every(connection: Connection) -> list[Worker]:
    """All workers on the list, dead ones too, oldest first."""
    return [Worker(*BY_IDS.record(row)) for row in EVERY.run(connection, {})]
