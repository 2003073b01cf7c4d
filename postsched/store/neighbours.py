"""What else an account has posted around a post that is in doubt: the network may mean that one.

Read only when a network is asked about a post, which is rare.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from postsched.domain.account import Account
from postsched.domain.delivery import Delivery
from postsched.domain.post import Post
from postsched.store import posts as post_rows
from postsched.store.deliveries import delivery_of, selected
from postsched.store.said import posts_said
from postsched.store.tables import attempts, deliveries

BEFORE = timedelta(days=1)
"""How long before the doubt other posts count."""
LATELY = timedelta(days=2)
"""How long a network may still remember a post that was deleted (LinkedIn: 24 to 48 hours)."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """`others` are the ids of what the account's other deliveries have out; `removed` says whether
    a post that says the same was deleted lately."""

    others: frozenset[str] = frozenset()
    removed: bool = False


def neighbours(
    connection: Connection, delivery: Delivery, post: Post, account: Account, now: datetime
) -> Neighbours:
    """The neighbours of a delivery of that post to that account; the post is as it says it."""
    return Neighbours(
        _others(connection, delivery), _was_removed(connection, post, account, now - LATELY)
    )


def _others(connection: Connection, delivery: Delivery) -> frozenset[str]:
    row = deliveries.c
    since = (delivery.sent_at or delivery.occurrence) - BEFORE
    query = selected().where(
        row.account_id == delivery.account_id, row.id != delivery.id, row.started_at >= since
    )
    return frozenset(
        step.published.remote_id
        for found in connection.execute(query)
        for step in delivery_of(found).steps
        if step.published and step.published.remote_id
    )


def _was_removed(connection: Connection, post: Post, account: Account, since: datetime) -> bool:
    query = (
        selected()
        .join(attempts, attempts.c.delivery_id == deliveries.c.id)
        .where(
            deliveries.c.account_id == account.id,
            attempts.c.action == "delete",
            attempts.c.outcome == "removed",
            attempts.c.started_at >= since,
        )
    )
    gone = [delivery_of(found) for found in connection.execute(query)]
    posts = post_rows.to_send(connection, list({delivery.post_id for delivery in gone}))
    text = _text(post, account)
    return any(_text(one, account) == text for one in posts_said(connection, gone, posts))


def _text(post: Post, account: Account) -> str:
    """What the account's first part says."""
    return post.content.parts(account.name)[0].text
