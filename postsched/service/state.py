"""The state at a glance as a document: what is running, what waits, what needs a hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from postsched.presence import present
from postsched.service import limits
from postsched.service.desk import Desk
from postsched.store import accounts as account_rows
from postsched.store import outlook, pauses, workers
from postsched.store.upcoming import next_due
from postsched.transfer.documents import rfc3339

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from postsched.presence import Present
    from postsched.store.workers import Worker


def workers_now(connection: Connection, bells: Path, now: datetime) -> Present:
    """The workers that live, those of which nothing is heard, and those that ended without signing
    off."""
    return present(workers.every(connection), bells, now)


def status_document(desk: Desk) -> dict[str, Any]:
    """The JSON of `status`."""
    now = desk.now()
    with desk.database.read() as connection:
        found = workers_now(connection, desk.bells, now)
        counts = outlook.count_by_status(connection)
        first = next_due(connection)
        accounts = account_rows.every(connection)
        paused = pauses.all_paused(connection)
        known = limits.known(desk, connection, accounts)
    daemon = _daemon(found.living)
    return {
        "daemon": {
            "running": daemon is not None,
            "host": daemon.host if daemon else None,
            "pid": daemon.pid if daemon else None,
            "since": rfc3339(daemon.since) if daemon else None,
        },
        "workers": [
            {
                "host": worker.host,
                "pid": worker.pid,
                "since": rfc3339(worker.since),
                "seen_at": rfc3339(worker.seen_at),
                "silent": worker in found.silent,
            }
            for worker in (*found.living, *found.silent)
        ],
        "paused": paused,
        "counts": {status.value: count for status, count in counts.items()},
        "next_due_at": rfc3339(first),
        "oldest_due_s": round((now - first).total_seconds(), 3) if first and first <= now else None,
        "accounts": [
            {
                "name": account.name,
                "platform": account.platform,
                "state": account.state.value,
                "token_expires_at": rfc3339(account.token_expires_at),
                "paused": account.paused,
                **limits.document(known, account),
            }
            for account in accounts
        ],
        "services": limits.services(known),
    }


def _daemon(living: Sequence[Worker]) -> Worker | None:
    """The daemon: that of this host, else any."""
    from socket import gethostname

    daemons = [worker for worker in living if worker.kind == "run"]
    here = gethostname() if len(daemons) > 1 else None
    return min(daemons, key=lambda worker: worker.host != here, default=None)
