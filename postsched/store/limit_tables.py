"""The tables of what is left alone for a while, and of what networks say of their limits."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, Table

from postsched.store.columns import Instant, Whole, Words
from postsched.store.tables import STRICT, metadata

holds = Table(
    "holds",
    metadata,
    Column("subject", Words, primary_key=True),
    Column("account_id", Whole, ForeignKey("accounts.id", ondelete="CASCADE")),
    Column("until", Instant),
    Column("why", Words),
    Column("message", Words),
    Column("failures", Integer, nullable=False, default=0),
    Column("opened", Integer, nullable=False, default=0),
    **STRICT,
)

limits = Table(
    "limits",
    metadata,
    Column("account_id", Whole, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Words, primary_key=True),
    Column("remaining", Whole, nullable=False),
    Column("most", Whole),
    Column("reset", Instant),
    Column("seen_at", Instant, nullable=False),
    **STRICT,
)
