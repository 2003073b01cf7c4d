"""What is over for long leaves the database, and is kept in an archive: in small steps."""

from __future__ import annotations
