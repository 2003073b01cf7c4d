"""Sessions of the page: begun, looked up, ended."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, literal, select

from postsched.domain.token import Token
from postsched.store.session_tables import sessions
from postsched.store.token_tables import tokens
from postsched.store.tokens import token_of


def begin(
    connection: Connection, digest: str, token: str, expires_at: datetime, now: datetime
) -> None:
    """Begin one for the token of that name; those that are over go. Instants are UTC."""
    forget(connection, now)
    columns = ["digest", "token_id", "expires_at"]
    found = select(literal(digest), tokens.c.id, literal(expires_at, sessions.c.expires_at.type))
    connection.execute(insert(sessions).from_select(columns, found.where(tokens.c.name == token)))


def token_at(connection: Connection, digest: str, now: datetime) -> Token | None:
    """The token by which that session was begun, None if there is none, or none any more."""
    query = (
        select(tokens)
        .join(sessions, sessions.c.token_id == tokens.c.id)
        .where(sessions.c.digest == digest, sessions.c.expires_at > now)
    )
    row = connection.execute(query).one_or_none()
    return token_of(row) if row else None


def end(connection: Connection, digest: str) -> None:
    """End one."""
    connection.execute(delete(sessions).where(sessions.c.digest == digest))


def forget(connection: Connection, now: datetime) -> None:
    """Let those go that are over."""
    connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
