"""Service tokens: written, found by their digest, noted as used, taken away."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Row, delete, select, update

from postsched.domain.scope import Scope
from postsched.domain.token import Token
from postsched.store.compiled import ByIds
from postsched.store.token_tables import tokens


def insert(connection: Connection, token: Token, digest: str) -> None:
    """Write a new token. Raises IntegrityError for a name that is taken."""
    values = {
        "name": token.name,
        "scope": token.scope.value,
        "digest": digest,
        "made_at": token.made_at,
        "expires_at": token.expires_at,
    }
    connection.execute(tokens.insert().values(values))


def every(connection: Connection) -> list[Token]:
    """All tokens, by name."""
    return [token_of(row) for row in connection.execute(select(tokens).order_by(tokens.c.name))]


def named(connection: Connection, name: str) -> Token | None:
    """The token of that name."""
    row = connection.execute(select(tokens).where(tokens.c.name == name)).one_or_none()
    return token_of(row) if row else None


def by_digest(connection: Connection, digest: str) -> Token | None:
    """The token with that hash."""
    found = BY_DIGEST.records(connection, [digest])
    return token_of(found[0]) if found else None


BY_DIGEST = ByIds(lambda digests: select(tokens).where(tokens.c.digest.in_(digests)))
"""Compiled once: every request asks."""


def note_use(connection: Connection, name: str, now: datetime) -> None:
    """It was used just now (UTC)."""
    connection.execute(update(tokens).where(tokens.c.name == name).values(used_at=now))


def remove(connection: Connection, name: str) -> bool:
    """Take the token of that name away; whether there was one."""
    return connection.execute(delete(tokens).where(tokens.c.name == name)).rowcount > 0


def token_of(row: Row[tuple[object, ...]]) -> Token:
    """A row of the table."""
    return Token(row.name, Scope(row.scope), row.made_at, row.expires_at, row.used_at)
