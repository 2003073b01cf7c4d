"""The deliveries of a series to one account: a chain, of which one row leads.

The row that leads is the next to come. Whoever takes it up plans the one after it, which leads from
then on, in the same transaction. Rows that a person had made ahead (one that is skipped, moved, or
says something of its own) do not lead: the chain passes them over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, select, text, update

from postsched.store.plans import Planned, planned_values
from postsched.store.tables import LEADING, RECURRING, deliveries, posts, schedules, targets


@dataclass(frozen=True, slots=True)
class Tail:
    """The last row of a chain: its occurrence (UTC), and its number."""

    occurrence: datetime
    number: int


def is_active(connection: Connection, post_id: int, account_id: int) -> bool:
    """Whether the post still goes to the account: it was neither taken from it nor cancelled."""
    row = targets.c
    query = select(row.stopped).where(row.post_id == post_id, row.account_id == account_id)
    return connection.scalar(query) == 0


def stop(
    connection: Connection, post_id: int, account_ids: Iterable[int], *, stopped: bool
) -> None:
    """End a series for those accounts, or go on with it. Which row leads is the caller's to say."""
    row = targets.c
    query = update(targets).where(row.post_id == post_id, row.account_id.in_(list(account_ids)))
    connection.execute(query.values(stopped=int(stopped)))


def stopped(connection: Connection, post_id: int) -> set[int]:
    """The accounts for which a series was cancelled."""
    row = targets.c
    query = select(row.account_id).where(row.post_id == post_id, row.stopped == 1)
    return set(connection.scalars(query))


def unlead(connection: Connection, delivery_ids: Sequence[int]) -> None:
    """Those lead no more."""
    connection.execute(update(deliveries).where(deliveries.c.id.in_(delivery_ids)).values(leads=0))


def has_leader(connection: Connection, post_id: int, account_id: int) -> bool:
    """Whether a row of the chain leads."""
    row = deliveries.c
    query = select(row.id).where(
        row.post_id == post_id, row.account_id == account_id, text(f"deliveries.{LEADING}")
    )
    return connection.scalar(query) is not None


def taken(connection: Connection, post_id: int, account_id: int, after: datetime) -> set[datetime]:
    """The occurrences after that one which have a row."""
    row = deliveries.c
    query = select(row.occurrence).where(
        row.post_id == post_id, row.account_id == account_id, row.occurrence > after
    )
    return set(connection.scalars(query))


def tail(connection: Connection, post_id: int, account_id: int, before: datetime) -> Tail | None:
    """The last row of a chain before that occurrence, of whatever status."""
    row = deliveries.c
    query = (
        select(row.occurrence, row.number)
        .where(row.post_id == post_id, row.account_id == account_id, row.occurrence < before)
        .order_by(row.occurrence.desc())
        .limit(1)
    )
    one = connection.execute(query).first()
    return None if one is None else Tail(one.occurrence, one.number or 0)


def leaderless(connection: Connection) -> list[tuple[int, int]]:
    """The chains, as post and account, of which no row leads though they are not stopped: those
    that are over, too."""
    row = deliveries.c
    series = select(schedules.c.post_id).where(text(RECURRING))  # joined, all posts are looked at
    query = (
        select(targets.c.post_id, targets.c.account_id)
        .join_from(targets, posts, targets.c.post_id == posts.c.id)
        .outerjoin(
            deliveries,
            and_(
                row.post_id == targets.c.post_id,
                row.account_id == targets.c.account_id,
                text(f"deliveries.{LEADING}"),
            ),
        )
        .where(targets.c.post_id.in_(series))
        .where(posts.c.draft == 0, targets.c.stopped == 0, row.id.is_(None))
        .order_by(targets.c.post_id)
    )
    return [(post_id, account_id) for post_id, account_id in connection.execute(query)]


def move(connection: Connection, delivery_id: int, planned: Planned, *, held: bool) -> None:
    """Have a row of which nothing was ever sent stand for another occurrence. What was prepared is
    discarded. `held`: the claim on it stays; else it waits, and was never tried."""
    values = planned_values(planned) | {"steps": None, "prepare_at": None}
    for name in ("post_id", "account_id", "number", "wording"):
        values.pop(name)
    if held:
        values.pop("status")
    else:
        values |= {
            "came_from": None, "attempts": 0, "claim": None, "claim_worker": None,
            "claimed_at": None, "claim_until": None, "finished_at": None,
            "prepare_at": planned.prepare_at,
        }  # fmt: skip
    connection.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(values))


def leading(connection: Connection) -> list[int]:
    """The posts whose series have a row that leads and are not paused."""
    row = deliveries.c
    query = select(row.post_id).where(text(f"deliveries.{LEADING}"), row.paused == 0).distinct()
    return sorted(connection.scalars(query))


def place_of(connection: Connection, post_id: int, account_id: int) -> tuple[int, int]:
    """The place of an account among those of a post, from 0, and how many there are."""
    row = targets.c
    mine = select(row.position).where(row.post_id == post_id, row.account_id == account_id)
    every = select(func.count()).select_from(targets).where(row.post_id == post_id)
    return connection.scalar(mine) or 0, connection.scalar(every) or 1
