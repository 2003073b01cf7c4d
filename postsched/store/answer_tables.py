"""The table of answers: what was written for a caller that named its request, and what they were
told, so that the same request again changes nothing and is told the same."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table

from postsched.store.columns import Instant, Json, Words
from postsched.store.tables import STRICT, metadata

answers = Table(
    "answers",
    metadata,
    Column("caller", Words, primary_key=True),
    Column("key", Words, primary_key=True),
    Column("digest", Words, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", Json),
    Column("body", Words, nullable=False),
    Column("at", Instant, nullable=False),
    Index("answered", "at"),
    **STRICT,
)
