"""The state of the queue: what is next, what is held and by whom, how many of each status."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Connection,
    func,
    literal,
    select,
    text,
)

from postsched.domain.account import Account
from postsched.domain.delivery import (
    DeliveryStatus,
)
from postsched.store import accounts as account_rows
from postsched.store.lanes import OPEN, Lane, waiting_lanes
from postsched.store.tables import (
    CLAIMED,
    Instant,
    accounts,
    deliveries,
)

S = DeliveryStatus


@dataclass(frozen=True, slots=True)
class Look:
    """What a worker has to know of the queue: the lanes, the next instant to prepare something,
    and the claims that are not in its hands (by worker id, when the first of them runs out). Its
    own id is there if it has lost hold of a claim."""

    lanes: Sequence[Lane]
    prepare_at: datetime | None
    foreign: Mapping[int, datetime]


CLAIMS = (
    select(
        deliveries.c.claim_worker,
        func.min(deliveries.c.claim_until).label("until"),
        func.count().label("claims"),
    )
    .where(text(CLAIMED))
    .group_by(deliveries.c.claim_worker)
)


UNPREPARED_OF_D = "d.prepare_at IS NOT NULL AND d.paused = 0 AND d.claim IS NULL"


PREPARE = text(
    f"""
    SELECT min((SELECT min(d.prepare_at) FROM deliveries d
                WHERE d.account_id = accounts.id AND {UNPREPARED_OF_D})) AS prepare_at
    FROM accounts WHERE {OPEN}
    """  # noqa: S608 - made of constants only
).columns(prepare_at=Instant)


def look(connection: Connection, worker: int, mine: Collection[tuple[int, str]] = ()) -> Look:
    """Read the queue's next instants, by index only. `mine` is what the worker has in its hands,
    as delivery and token."""
    foreign: dict[int, datetime] = {}
    for row in connection.execute(CLAIMS):
        if row.claim_worker != worker:
            foreign[row.claim_worker] = row.until
        elif row.claims > len(mine) and (until := _dropped(connection, worker, mine)):
            foreign[worker] = until
    return Look(waiting_lanes(connection), connection.scalar(PREPARE), foreign)


def _dropped(
    connection: Connection, worker: int, mine: Collection[tuple[int, str]]
) -> datetime | None:
    """When the first claim of a worker runs out that it no longer has in its hands."""
    row = deliveries.c
    query = select(row.id, row.claim, row.claim_until).where(
        text(CLAIMED), row.claim_worker == worker
    )
    found = [
        claim.claim_until
        for claim in connection.execute(query)
        if (claim.id, claim.claim) not in mine
    ]
    return min(found, default=None)


def held_by_login(connection: Connection, now: datetime) -> list[tuple[Account, int]]:
    """The accounts whose login is refused, with how many of their deliveries are due."""
    row = deliveries.c
    query = (
        select(row.account_id, func.count())
        .where(row.next_at <= now, row.paused == 0, row.claim.is_(None))
        .where(row.account_id.in_(select(accounts.c.id).where(accounts.c.state == "login")))
        .group_by(row.account_id)
    )
    counts = connection.execute(query).all()
    known = account_rows.by_ids(connection, [account_id for account_id, _ in counts])
    return [(known[account_id], count) for account_id, count in counts]


def count_by_status(connection: Connection) -> dict[DeliveryStatus, int]:
    """How many deliveries there are in each status."""
    row = deliveries.c
    query = select(row.status, func.count()).group_by(row.status)
    counts: dict[DeliveryStatus, int] = dict.fromkeys(DeliveryStatus, 0)
    counts.update({S(status): count for status, count in connection.execute(query)})
    return counts


def is_idle(connection: Connection) -> bool:
    """Whether nothing is waiting that could go out by itself, and nothing is in flight.

    Paused deliveries, and those of paused or refused accounts, wait for a person.
    """
    waiting = bool(waiting_lanes(connection))
    held = select(literal(1)).where(text(CLAIMED)).select_from(deliveries).limit(1)
    return not waiting and connection.scalar(held) is None


def holds_any(connection: Connection, worker: int) -> bool:
    """Whether a worker has any claims."""
    row = deliveries.c
    held = select(literal(1)).where(text(CLAIMED), row.claim_worker == worker).limit(1)
    return connection.scalar(held) is not None
