"""The table of posts that have left the database: what must be known of them for ever."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, Table

from postsched.store.columns import Whole
from postsched.store.tables import STRICT, metadata

gone = Table(
    "gone",
    metadata,
    Column("post_id", Whole, primary_key=True, autoincrement=False),
    Column("mark", LargeBinary, nullable=False, unique=True),
    Column("digest", LargeBinary),
    Column("gist", LargeBinary),
    Column("month", Integer),
    **STRICT,
)
