"""Posts that may say what another one says, to the same account and about the same time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, or_, select

from postsched.domain.delivery import IN_DOUBT, DeliveryStatus
from postsched.store.tables import deliveries, posts

S = DeliveryStatus
SAID = sorted(status.value for status in {S.SCHEDULED, S.RETRYING, S.PUBLISHED, *IN_DOUBT})
"""The statuses of what is out, may be, or will be."""
ENOUGH = 50
"""How many are looked at."""


def may_be_equal(
    connection: Connection, account_id: int, text: str, since: datetime, until: datetime
) -> list[tuple[datetime, int]]:
    """The instants and posts of deliveries due between those (UTC, included) whose post has that
    text, or texts for single accounts; soonest first. By index, and no more than a few."""
    row = deliveries.c
    query = (
        select(row.due_at, row.post_id)
        .join_from(deliveries, posts)
        .where(row.status.in_(SAID), row.due_at >= since, row.due_at <= until)
        .where(row.account_id == account_id)
        .where(or_(posts.c.text == text, posts.c.variants.is_not(None)))
        .order_by(row.due_at, row.id)
        .limit(ENOUGH)
    )
    return [(at, post_id) for at, post_id in connection.execute(query)]
