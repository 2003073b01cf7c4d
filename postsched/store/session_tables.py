"""The table of sessions of the page: who signed in with which token. It ends with the token."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table

from postsched.store.columns import Instant, Whole, Words
from postsched.store.tables import STRICT, metadata

sessions = Table(
    "sessions",
    metadata,
    Column("digest", Words, primary_key=True),
    Column("token_id", Whole, ForeignKey("tokens.id", ondelete="CASCADE"), nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    **STRICT,
)
