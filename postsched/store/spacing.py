"""How long ago something went out for an account: read from its deliveries, so that it is the same
for every process and survives restarts."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from postsched.store.columns import Instant, micros
from postsched.store.tables import SENT

SLACK = timedelta(seconds=5)
"""What went out that little too late counts as on time: what follows is not moved by it."""
HAS_OUT = "d.steps LIKE '%\"out\":%'"
LATEST = text(
    f"""
    SELECT d.due_at, d.started_at FROM deliveries d
    WHERE d.account_id = :account AND {SENT.replace("finished_at", "d.finished_at")}
        AND d.finished_at > :since AND (d.status IN ('published', 'unconfirmed') OR {HAS_OUT})
    UNION ALL
    SELECT d.due_at, d.started_at FROM deliveries d
    WHERE d.account_id = :account AND (d.claim IS NULL OR d.claim <> :token)
        AND (d.status IN ('publishing', 'confirming')
             OR d.status IN ('scheduled', 'retrying') AND d.attempts > 0 AND {HAS_OUT})
    """  # noqa: S608 - made of constants only
).columns(due_at=Instant, started_at=Instant)


def latest(
    connection: Connection, account_id: int, now: datetime, back: timedelta, token: str = ""
) -> datetime | None:
    """When the last post of an account went out, or may have: not counting what was claimed with
    the token, and what went out longer `back`. What is being sent counts as sent when it is due."""
    values = {"account": account_id, "since": micros(now - back), "token": token}
    found = [
        max(due_at, started_at - SLACK) if started_at else max(due_at, now)
        for due_at, started_at in connection.execute(LATEST, values)
    ]
    return max(found, default=None)


NEAR = text(
    """
    SELECT d.post_id, d.due_at FROM deliveries d
    WHERE d.status IN ('scheduled', 'retrying') AND d.account_id = :account
        AND d.due_at > :since AND d.due_at < :until AND d.post_id <> :but
    ORDER BY abs(d.due_at - :due) LIMIT 1
    """
).columns(due_at=Instant)


def near(
    connection: Connection, account_id: int, due: datetime, distance: timedelta, but: int = 0
) -> tuple[int, datetime] | None:
    """The delivery of an account that waits for the instant nearest to `due`, closer than the
    distance, and is of another post than `but`: its post, and when it is due; None if there is
    none."""
    at, back = micros(due), distance // timedelta(microseconds=1)
    values = {"account": account_id, "due": at, "since": at - back, "until": at + back}
    values["but"] = but
    found = connection.execute(NEAR, values).first()
    return None if found is None else (found.post_id, found.due_at)
