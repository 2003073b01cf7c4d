"""The table of what is to be told: events for people, webhooks and callbacks."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, UniqueConstraint, text

from postsched.store.columns import Instant, Json, Whole, Words
from postsched.store.tables import STRICT, metadata

UNTOLD = "next_at IS NOT NULL"
"""What is still to be told: the condition of the index `untold`."""

notifications = Table(
    "notifications",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("uid", Words, nullable=False, unique=True),
    Column("way", Words, nullable=False),
    Column("event", Words, nullable=False),
    Column("account", Words, nullable=False),
    Column("subject", Words),
    Column("at", Instant, nullable=False),
    Column("document", Json, nullable=False),
    Column("next_at", Instant),
    Column("claim", Words),
    Column("claim_until", Instant),
    Column("attempts", Integer, nullable=False, default=0),
    Column("first_at", Instant),
    Column("done", Json),
    Column("problem", Words),
    Column("finished_at", Instant),
    Column("post_id", Whole),
    Column("url", Words),
    Column("answer", Integer),
    UniqueConstraint("way", "subject"),
    Index("untold", "way", "next_at", sqlite_where=text(UNTOLD)),
    **STRICT,
)
