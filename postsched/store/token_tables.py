"""The table of service tokens: of each only a hash is kept."""

from __future__ import annotations

from sqlalchemy import Column, Table

from postsched.store.columns import Instant, Whole, Words
from postsched.store.tables import STRICT, metadata

tokens = Table(
    "tokens",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("name", Words, nullable=False, unique=True),
    Column("scope", Words, nullable=False),
    Column("digest", Words, nullable=False, unique=True),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("used_at", Instant),
    **STRICT,
)
