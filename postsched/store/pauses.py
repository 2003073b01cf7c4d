"""Holding and releasing; what is past its grace by the time it is released is missed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    Connection,
    delete,
    func,
    literal,
    select,
    text,
    update,
)

from postsched.domain import moves
from postsched.domain.delivery import (
    Delivery,
    DeliveryStatus,
)
from postsched.store import deliveries as delivery_rows
from postsched.store import outbox
from postsched.store.compiled import Compiled
from postsched.store.lanes import OPEN
from postsched.store.plans import rewrite
from postsched.store.tables import (
    deliveries,
    meta,
    posts,
)

S = DeliveryStatus


def set_paused(connection: Connection, post_id: int, *, paused: bool) -> None:
    """Hold or release a post. What is being prepared goes on; it is invisible."""
    for table, column in ((posts, posts.c.id), (deliveries, deliveries.c.post_id)):
        connection.execute(update(table).where(column == post_id).values(paused=int(paused)))


def set_all_paused(connection: Connection, *, paused: bool) -> None:
    """Hold or release everything."""
    connection.execute(delete(meta).where(meta.c.name == "paused"))
    if paused:
        connection.execute(meta.insert(), {"name": "paused", "value": "1"})


def all_paused(connection: Connection) -> bool:
    """Whether everything is held."""
    return bool(PAUSED.run(connection, {}))


PAUSED = Compiled(lambda connection: select(meta.c.value).where(meta.c.name == literal("paused")))


def in_hand(
    connection: Connection,
    post_ids: Sequence[int] | None = None,
    account_ids: Sequence[int] | None = None,
) -> int:
    """How many deliveries a worker has already taken up to send them: of those posts, of those
    accounts, or in all."""
    row = deliveries.c
    query = select(func.count()).where(row.claim.is_not(None), row.status == S.PUBLISHING.value)
    if post_ids is not None:
        query = query.where(row.post_id.in_(post_ids))
    if account_ids is not None:
        query = query.where(row.account_id.in_(account_ids))
    return connection.scalar(query) or 0


def miss(
    connection: Connection,
    now: datetime,
    *,
    post_ids: Sequence[int] | None = None,
    account_ids: Sequence[int] | None = None,
) -> list[Delivery]:
    """Take what is past its grace out of the queue: of those posts, of those accounts, or all.
    What an account or a pause of everything still holds keeps its status; so does what leads a
    series, which `leading` finds."""
    late = _late(connection, now, post_ids, account_ids, leads=False)
    missed = [moves.miss(d) for d in late if rewrite(connection, moves.miss(d), d, now)]
    outbox.note(connection, now, *missed)
    return missed


def leading(
    connection: Connection,
    now: datetime,
    *,
    post_ids: Sequence[int] | None = None,
    account_ids: Sequence[int] | None = None,
) -> list[int]:
    """What `miss` leaves, as it leads a series: the ids of deliveries."""
    return [d.id for d in _late(connection, now, post_ids, account_ids, leads=True)]


def _late(
    connection: Connection,
    now: datetime,
    post_ids: Sequence[int] | None,
    account_ids: Sequence[int] | None,
    *,
    leads: bool,
) -> list[Delivery]:
    row = deliveries.c
    query = delivery_rows.selected().where(
        row.next_at.is_not(None),
        row.claim.is_(None),
        row.grace_until < now,
        row.status.in_((S.SCHEDULED.value, S.RETRYING.value)),
        row.paused == 0,
        row.leads == int(leads),
        text(OPEN),
    )
    if post_ids is not None:
        query = query.where(row.post_id.in_(post_ids))
    if account_ids is not None:
        query = query.where(row.account_id.in_(account_ids))
    return [delivery_rows.delivery_of(found) for found in connection.execute(query)]
