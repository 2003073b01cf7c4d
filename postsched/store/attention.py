"""What waits for a person: deliveries that failed, were missed or are unconfirmed, and drafts."""

from __future__ import annotations

from sqlalchemy import Connection, select, text

from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.store import deliveries as rows
from postsched.store.tables import DRAFTS, deliveries, posts

S = DeliveryStatus
FOR_PEOPLE = (S.UNCONFIRMED, S.FAILED, S.MISSED)
"""What a person has to decide, the most urgent first: nobody knows whether it is out."""


def waiting(connection: Connection, most: int) -> list[Delivery]:
    """Of each kind the newest, at most so many; by the index `upcoming`."""
    row, found = deliveries.c, []
    for status in FOR_PEOPLE:
        query = rows.selected().where(row.status == status.value).order_by(row.due_at.desc())
        found += [rows.delivery_of(one) for one in connection.execute(query.limit(most))]
    return found


def drafts(connection: Connection, most: int) -> list[int]:
    """The ids of the drafts, the newest first; by the index `drafts`."""
    query = select(posts.c.id).where(text(DRAFTS)).order_by(posts.c.created_at.desc())
    return list(connection.scalars(query.limit(most)))
