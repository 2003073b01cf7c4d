"""Whom `serve` lets in: tokens that are of no use, and settings that are half of something."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from postsched.domain.serving import Web
from postsched.domain.token import Token
from postsched.service.checks.finding import Finding, Subject, counted, ok, warning
from postsched.store import tokens as rows

UNUSED = timedelta(days=30)
"""After which a token that nobody has shown is told of."""


def visitor_findings(subject: Subject) -> Iterator[Finding]:
    """The `[web]` settings, and the tokens there are."""
    web = subject.settings.web
    yield from _of_settings(web)
    if subject.database is None:
        return
    with subject.database.read() as connection:
        tokens = rows.every(connection)
    yield from _of_tokens(subject, tokens)
    holding = [token for token in tokens if not token.has_expired(subject.now())]
    if holding:
        yield ok("serve", f"{counted(len(holding), 'token')} can be shown")
    elif web.host != Web().host and web.jwt_algorithm is None:
        yield warning(
            "serve",
            f"it is to listen at {web.host}, and there is no token: it lets nobody in",
            "Make one: postsched token add NAME --scope write",
        )


def _of_settings(web: Web) -> Iterator[Finding]:
    if missing := web.jwt_missing:
        why = f"[web] has the jwt_algorithm {web.jwt_algorithm}, and no {missing}"
        yield warning("serve", f"{why}: it will not start", f"Set {missing}")
    if idle := web.jwt_idle:
        yield warning("serve", f"[web] {idle} has no effect", "Set a jwt_algorithm that uses it")


def _of_tokens(subject: Subject, tokens: Sequence[Token]) -> Iterator[Finding]:
    now = subject.now()
    for token in tokens:
        revoke = f"Take it away: postsched token revoke {token.name}"
        if token.has_expired(now):
            yield warning("serve", f"the token {token.name} has expired", revoke)
        elif token.used_at is None and now - token.made_at >= UNUSED:
            since = f"{(now - token.made_at).days} days"
            yield warning("serve", f"nobody has shown the token {token.name} in {since}", revoke)
