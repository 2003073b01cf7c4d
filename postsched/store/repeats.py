"""Posts that may say what another one says, to the same account and about the same time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, or_, select

from postsched.domain.delivery import IN_DOUBT, Delivery, DeliveryStatus
from postsched.store.deliveries import delivery_of, selected
from postsched.store.said import apart
from postsched.store.tables import deliveries, posts

S = DeliveryStatus
SAID = sorted(status.value for status in {S.SCHEDULED, S.RETRYING, S.PUBLISHED, *IN_DOUBT})
"""The statuses of what is out, may be, or will be."""
ENOUGH = 50
"""How many are looked at."""


def may_be_equal(
    connection: Connection, account_id: int, text: str, since: datetime, until: datetime
) -> list[Delivery]:
    """The deliveries due between those instants (UTC, included) whose post has that text, or may
    have it here: texts for single accounts, or such as differ with the occurrence. Soonest first,
    by index, and no more than a few."""
    row = deliveries.c
    query = (
        select(row.id)
        .join_from(deliveries, posts)
        .where(row.status.in_(SAID), row.due_at >= since, row.due_at <= until)
        .where(row.account_id == account_id)
        .where(or_(posts.c.text == text, posts.c.variants.is_not(None), apart()))
        .order_by(row.due_at, row.id)
        .limit(ENOUGH)
    )
    ids = list(connection.scalars(query))
    found = connection.execute(selected().where(row.id.in_(ids)).order_by(row.due_at, row.id))
    return [delivery_of(one) for one in found]
