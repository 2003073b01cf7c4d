"""The state of the queue: what is next, what is held and by whom, how many of each status."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Connection,
    func,
    literal,
    select,
    text,
    union_all,
)

from postsched.domain.account import Account
from postsched.domain.delivery import WAITING, DeliveryStatus
from postsched.domain.holding import OURS, Why
from postsched.store import accounts as account_rows
from postsched.store import holds
from postsched.store.columns import EPOCH, MICROSECOND
from postsched.store.compiled import Compiled
from postsched.store.graces import FIRST_ENDS
from postsched.store.holds import Wait
from postsched.store.lanes import LANE, LANES_OF_ALL, OPEN, RELEASED, Lane, arranged
from postsched.store.tables import CLAIMED, FREE, accounts, deliveries

S = DeliveryStatus


@dataclass(frozen=True, slots=True)
class Unprepared:
    """An account with something to prepare, the first of it from `at` (UTC)."""

    account_id: int
    platform: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """What a worker has to know of the queue: the lanes, what is to be prepared, and the claims
    that are not in its hands (by worker id, when the first of them runs out). Its own id is there
    if it has lost hold of a claim. `waits` are the accounts that are held, or were. `grace_ends` is
    when the first delivery is missed, UTC."""

    lanes: Sequence[Lane]
    unprepared: Sequence[Unprepared]
    foreign: Mapping[int, datetime]
    waits: Mapping[int, Wait] = field(default_factory=dict)
    grace_ends: datetime | None = None

    def is_held(self, account_id: int, now: datetime) -> bool:
        """Whether nothing is to be sent for the account now, not even what is claimed: that is
        within its quotas."""
        wait = self.waits.get(account_id)
        if wait is None or wait.until is None or wait.why in OURS:
            return False
        return wait.until > now


UNPREPARED_OF_D = "d.prepare_at IS NOT NULL AND d.paused = 0 AND d.claim IS NULL"


LOOK = Compiled(
    lambda connection: text(
        f"""
    WITH {LANES_OF_ALL}
    SELECT 'lane' AS kind, {LANE}
    UNION ALL
    SELECT 'claims', claim_worker, '', count(*), min(claim_until) FROM deliveries
    WHERE {CLAIMED} GROUP BY claim_worker
    UNION ALL
    SELECT 'unprepared', account_id, platform, 0, prepare_at FROM (
        SELECT id AS account_id, platform,
            (SELECT min(d.prepare_at) FROM deliveries d
             WHERE d.account_id = accounts.id AND {UNPREPARED_OF_D}) AS prepare_at
        FROM accounts WHERE {OPEN}
    ) AS firsts WHERE prepare_at IS NOT NULL
    UNION ALL
    SELECT 'grace', 0, '', 0, min(until) FROM ({FIRST_ENDS}) AS ends
    UNION ALL
    SELECT 'holds', 0, '', 0, 0 WHERE EXISTS (SELECT 1 FROM holds)
    """  # noqa: S608 - made of constants only
    )
)
"""All at once, for it is asked twice in every turn. What kind of row it is, a number (of an account
or a worker), a platform, a priority or a count, and an instant."""


def look(connection: Connection, worker: int, mine: Collection[tuple[int, str]] = ()) -> Look:
    """Read the queue's next instants, by index only. `mine` is what the worker has in its hands,
    as delivery and token."""
    rows: dict[str, list[Any]] = {"claims": [], "lane": [], "unprepared": []}
    for kind, number, name, level, at in LOOK.run(connection, {}):
        instant = None if at is None else EPOCH + at * MICROSECOND
        rows.setdefault(kind, []).append((number, name, level, instant))
    foreign: dict[int, datetime] = {}
    for holder, _, claims, until in rows["claims"]:
        if holder != worker:
            foreign[holder] = until
        elif claims > len(mine) and (dropped := _dropped(connection, worker, mine)):
            foreign[worker] = dropped
    waits = holds.waits(connection) if "holds" in rows else {}
    unprepared = [
        Unprepared(number, platform, _not_before(at, waits.get(number)))
        for number, platform, _, at in rows["unprepared"]
    ]
    lanes = arranged(connection, [Lane(*row) for row in rows["lane"]], waits)
    return Look(lanes, unprepared, foreign, waits, grace_ends=rows["grace"][0][-1])


def _not_before(at: datetime, wait: Wait | None) -> datetime:
    """When to prepare: not while the network wants no requests; our own pace is no reason."""
    if wait is not None and wait.why in (Why.QUIET, Why.SPACING) and wait.trial is None:
        return at
    over = wait.over if wait else None
    return at if over is None else max(at, over)


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
    refused = connection.scalars(select(accounts.c.id).where(accounts.c.state == "login"))
    counts = count_waiting(connection, list(refused), now)
    known = account_rows.by_ids(connection, list(counts))
    return [(known[account_id], count) for account_id, count in counts.items()]


def count_waiting(
    connection: Connection, account_ids: Collection[int], upto: datetime | None = None
) -> dict[int, int]:
    """How many deliveries of those accounts wait, unpaused and unclaimed, and are due at `upto`
    (None: whenever); by account id, those that have any."""
    row = deliveries.c
    query = (
        select(row.account_id, func.count().label("waiting"))
        .where(row.account_id.in_(account_ids), text(FREE))
        .group_by(row.account_id)
    )
    if upto is not None:
        query = query.where(row.next_at <= upto)
    return {row.account_id: row.waiting for row in connection.execute(query)}


def count_paused(connection: Connection) -> int:
    """How many deliveries wait for a person to release them, their account, or everything."""
    row = deliveries.c
    waiting = row.status.in_([status.value for status in WAITING])
    query = select(func.count()).select_from(deliveries.join(accounts)).where(waiting)
    return connection.scalar(query.where((row.paused != 0) | text(f"NOT ({RELEASED})"))) or 0


def count_by_status(connection: Connection) -> dict[DeliveryStatus, int]:
    """How many deliveries there are in each status. Most are scheduled: these are what the others
    leave of all, for SQLite counts a whole table by the page, and some of it row by row."""
    found = {str(status): count for status, count in COUNTS.run(connection, {})}
    scheduled = found.pop("") - sum(found.values())
    counts = dict.fromkeys(DeliveryStatus, 0) | {S.SCHEDULED: scheduled}
    return counts | {S(status): count for status, count in found.items()}


def _counting() -> CompoundSelect[Any]:
    row = deliveries.c
    every = select(func.count()).select_from(deliveries).scalar_subquery()
    others = [literal(status.value) for status in DeliveryStatus if status is not S.SCHEDULED]
    return union_all(
        select(row.status, func.count()).where(row.status.in_(others)).group_by(row.status),
        select(literal(""), every),
    )


COUNTS = Compiled(lambda connection: _counting())


def count_claimed(connection: Connection) -> int:
    """How many deliveries are in the hands of workers, dead ones too."""
    query = select(func.count()).select_from(deliveries).where(text(CLAIMED))
    return connection.scalar(query) or 0


def holds_any(connection: Connection, worker: int) -> bool:
    """Whether a worker has any claims."""
    row = deliveries.c
    held = select(literal(1)).where(text(CLAIMED), row.claim_worker == worker).limit(1)
    return connection.scalar(held) is not None
