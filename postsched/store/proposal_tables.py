"""The table of proposals: who made a draft that a person is to approve."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table

from postsched.store.columns import Whole, Words
from postsched.store.tables import STRICT, metadata

proposals = Table(
    "proposals",
    metadata,
    Column("post_id", Whole, ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True),
    Column("author", Words, nullable=False),
    **STRICT,
)
