"""Sessions of the page: whoever shows a service token is let in for a while."""

from __future__ import annotations

import secrets
from datetime import timedelta

from postsched.domain.token import Token, digest_of
from postsched.service import tokens
from postsched.service.desk import Desk
from postsched.store import sessions as rows

BYTES = 32
LASTS = timedelta(days=14)


def begin(desk: Desk, shown: str) -> str | None:
    """Sign in with a service token: what the browser is to show from now on. None for what is no
    token, or none any more."""
    token = tokens.holder(desk, shown)
    if token is None:
        return None
    value, now = secrets.token_urlsafe(BYTES), desk.now()
    with desk.database.write() as connection:
        rows.begin(connection, digest_of(value), token.name, now + LASTS, now)
    return value


def holder(desk: Desk, value: str) -> Token | None:
    """Whose session it is; None if it is none, or none any more."""
    now = desk.now()
    with desk.database.read() as connection:
        token = rows.token_at(connection, digest_of(value), now)
    return None if token is None or token.has_expired(now) else token


def end(desk: Desk, value: str) -> None:
    """Sign out."""
    with desk.database.write() as connection:
        rows.end(connection, digest_of(value))
