"""Service tokens: made, listed, revoked, and looked up at each request."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from postsched.domain.errors import InvalidInput, NotAllowed, NotFound
from postsched.domain.nearest import did_you_mean
from postsched.domain.scope import Scope
from postsched.domain.secret import Secret
from postsched.domain.token import NAME, PREFIX, Token, digest_of
from postsched.service.desk import Desk
from postsched.store import tokens as rows

BYTES = 32
USE_NOTED_EVERY = timedelta(hours=1)
"""How exactly it is known when a token was used last: each request would else be a write."""


def add(desk: Desk, name: str, scope: Scope, holds: timedelta | None) -> tuple[Token, Secret]:
    """Make a token; what it is, is known now and never again. `holds` is how long.

    Raises InvalidInput for a name that is none, NotAllowed for one that is taken.
    """
    if not NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} is no name for a token",
            "Lower case letters, digits, dots, dashes and underscores, 64 at the most",
        )
    now = desk.now()
    token = Token(name, scope, now, now + holds if holds is not None else None)
    secret = PREFIX + secrets.token_urlsafe(BYTES)
    with desk.database.write() as connection:
        if rows.named(connection, name):
            raise NotAllowed(
                f"there is a token {name!r} already", f"Revoke it: postsched token revoke {name}"
            )
        rows.insert(connection, token, digest_of(secret))
    return token, Secret(secret)


def every(desk: Desk) -> list[Token]:
    """All tokens, by name."""
    with desk.database.read() as connection:
        return rows.every(connection)


def revoke(desk: Desk, name: str) -> None:
    """Take a token away, from the next request on. Raises NotFound."""
    with desk.database.write() as connection:
        if rows.remove(connection, name):
            return
        known = [token.name for token in rows.every(connection)]
    raise NotFound(
        f"there is no token {name!r}", did_you_mean(name, known) or "See: postsched token list"
    )


def holder(desk: Desk, shown: str) -> Token | None:
    """The token that somebody shows, None if it is none, or none any more."""
    if not shown.startswith(PREFIX):
        return None
    with desk.database.read() as connection:
        token = rows.by_digest(connection, digest_of(shown))
    now = desk.now()
    if token is None or token.has_expired(now):
        return None
    if _is_due(token.used_at, now):
        with desk.database.write() as connection:
            rows.note_use(connection, token.name, now)
    return token


def _is_due(used_at: datetime | None, now: datetime) -> bool:
    return used_at is None or now - used_at >= USE_NOTED_EVERY
