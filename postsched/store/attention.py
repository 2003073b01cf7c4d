"""What waits for a person: deliveries that failed, were missed or are unconfirmed, drafts, and
callbacks that nobody took."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, or_, select, text

from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.hook import HOOKS, Hook
from postsched.store import deliveries as rows
from postsched.store import hooks
from postsched.store.outbox_tables import notifications
from postsched.store.proposal_tables import proposals
from postsched.store.tables import DRAFTS, deliveries, posts

S = DeliveryStatus
FOR_PEOPLE = (S.UNCONFIRMED, S.FAILED, S.MISSED)
"""What a person has to decide, the most urgent first: nobody knows whether it is out."""


def waiting(
    connection: Connection, statuses: Sequence[DeliveryStatus], most: int
) -> list[Delivery]:
    """Of each of these kinds the newest, at most so many; by the index `upcoming`."""
    row, found = deliveries.c, []
    for status in statuses:
        query = rows.selected().where(row.status == status.value).order_by(row.due_at.desc())
        found += [rows.delivery_of(one) for one in connection.execute(query.limit(most))]
    return found


def drafts(
    connection: Connection, most: int, before: tuple[datetime, int] | None = None
) -> dict[int, str | None]:
    """The ids of the drafts, the newest first, each with who proposed it (None: nobody had to);
    those behind the one that was written then (UTC) and has that id. By the index `drafts`."""
    row = posts.c
    query = (
        select(row.id, proposals.c.author)
        .outerjoin(proposals, proposals.c.post_id == row.id)
        .where(text(DRAFTS))
        .order_by(row.created_at.desc(), row.id.desc())
    )
    if before is not None:
        at, last = before
        query = query.where(row.created_at <= at, or_(row.created_at < at, row.id < last))
    return {one.id: one.author for one in connection.execute(query.limit(most))}


def draft_count(connection: Connection) -> int:
    """How many drafts there are."""
    found = connection.scalar(select(func.count()).select_from(posts).where(text(DRAFTS)))
    return int(found or 0)


def untaken(connection: Connection, most: int) -> list[Hook]:
    """The webhooks and callbacks that were given up, the newest first."""
    query = select(notifications).where(*_given_up()).order_by(notifications.c.id.desc())
    return [hooks.hook_of(one) for one in connection.execute(query.limit(most))]


def untaken_count(connection: Connection) -> int:
    """How many there are."""
    found = connection.scalar(select(func.count()).select_from(notifications).where(*_given_up()))
    return int(found or 0)


def _given_up() -> list[ColumnElement[bool]]:
    row = notifications.c
    ours = row.way.in_([way.value for way in HOOKS])
    return [ours, row.next_at.is_(None), row.problem.is_not(None)]
