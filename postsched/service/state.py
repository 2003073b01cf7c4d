"""The state at a glance: what is running, what waits, what needs a hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from postsched.presence import present
from postsched.service import limits
from postsched.service.desk import Desk
from postsched.store import accounts as account_rows
from postsched.store import condition, outlook, pauses, workers
from postsched.store.upcoming import next_due
from postsched.transfer.documents import rfc3339

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from postsched.domain.account import Account
    from postsched.domain.delivery import DeliveryStatus
    from postsched.presence import Present
    from postsched.service.limits import Limits
    from postsched.store.workers import Worker


def workers_now(connection: Connection, bells: Path, now: datetime) -> Present:
    """The workers that live, those of which nothing is heard, and those that ended without signing
    off."""
    return present(workers.every(connection), bells, now)


@dataclass(frozen=True, slots=True)
class State:
    """What there is to tell at `at` (UTC): who works, how many deliveries are in each status, when
    the first that no pause holds is or was due, and what is known of the accounts and limits."""

    at: datetime
    present: Present
    counts: Mapping[DeliveryStatus, int]
    first_due: datetime | None
    accounts: Sequence[Account]
    paused: bool
    limits: Limits

    @property
    def oldest_due(self) -> float | None:
        """Seconds since the first of what should be out was due, None where nothing should."""
        if self.first_due is None or self.first_due > self.at:
            return None
        return (self.at - self.first_due).total_seconds()


def read_state(desk: Desk) -> State:
    """The state as it is now, by index only. Raises StoreUnavailable."""
    now = desk.now()
    with desk.database.read() as connection:
        accounts = account_rows.every(connection)
        return State(
            at=now,
            present=workers_now(connection, desk.bells, now),
            counts=outlook.count_by_status(connection),
            first_due=next_due(connection),
            accounts=accounts,
            paused=pauses.all_paused(connection),
            limits=limits.known(desk, connection, accounts),
        )


def status_document(desk: Desk) -> dict[str, Any]:
    """The JSON of `status`."""
    state = read_state(desk)
    with desk.database.read() as connection:
        size = condition.size(connection)
    found, known, late = state.present, state.limits, state.oldest_due
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
        "database": {"size": size},
        "paused": state.paused,
        "counts": {status.value: count for status, count in state.counts.items()},
        "next_due_at": rfc3339(state.first_due),
        "oldest_due_s": None if late is None else round(late, 3),
        "accounts": [
            {
                "name": account.name,
                "platform": account.platform,
                "state": account.state.value,
                "token_expires_at": rfc3339(account.token_expires_at),
                "paused": account.paused,
                **limits.document(known, account),
            }
            for account in state.accounts
        ],
        "services": limits.services(known),
    }


def _daemon(living: Sequence[Worker]) -> Worker | None:
    """The daemon: that of this host, else any."""
    from socket import gethostname

    daemons = [worker for worker in living if worker.kind == "run"]
    here = gethostname() if len(daemons) > 1 else None
    return min(daemons, key=lambda worker: worker.host != here, default=None)
