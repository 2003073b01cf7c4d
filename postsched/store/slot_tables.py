"""The table of weekly slots: each belongs to an account, or to a group for all of its accounts."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, Table

from postsched.store.columns import Whole, Words
from postsched.store.tables import STRICT, metadata

slots = Table(
    "slots",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("account_id", Whole, ForeignKey("accounts.id", ondelete="CASCADE"), index=True),
    Column("group_id", Whole, ForeignKey("groups.id", ondelete="CASCADE"), index=True),
    Column("day", Integer, nullable=False),
    Column("at", Words, nullable=False),
    Column("tz", Words, nullable=False),
    **STRICT,
)
