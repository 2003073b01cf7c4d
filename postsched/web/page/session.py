"""Who looks at the page: signed in by a service token, and known by a cookie from then on.

The cookie is sent with requests of our own pages only (SameSite=Strict, RFC 6265bis), and every
form carries a word that no other site can know: an HMAC of who it was made for.
"""

from __future__ import annotations

import hmac
import secrets

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from postsched.service import sessions
from postsched.service.sessions import LASTS
from postsched.web.auth import LOCAL, Principal, without_login

COOKIE = "postsched"


class SignInNeeded(Exception):
    """Nobody has signed in, or not for a while."""


class Forms:
    """The words in forms: known to this process only, another for each session."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def word(self, session: str) -> str:
        """What a form of that session carries."""
        return hmac.digest(self._key, session.encode(), "sha256").hex()

    def is_ours(self, session: str, word: str) -> bool:
        """Whether that word was in a form of that session."""
        return hmac.compare_digest(self.word(session).encode(), word.encode())


def session_of(request: Request) -> str:
    """What the browser shows, empty where that is nothing."""
    return request.cookies.get(COOKIE, "")


async def viewer(request: Request) -> Principal:
    """Who looks at the page. Raises SignInNeeded, and HTTPException 429."""
    state = request.app.state
    if state.authenticate is without_login:
        return LOCAL
    shown = session_of(request)
    token = await run_in_threadpool(sessions.holder, state.desk(), shown) if shown else None
    if token is None:
        raise SignInNeeded
    who = Principal(f"token:{token.name}", token.scope)
    state.rates.take(who.name)
    return who


def remember(request: Request, answer: Response, session: str) -> None:
    """Have the browser show the session from now on: by HTTPS only, where it came by that, which it
    says itself (Origin), whatever a proxy in between has made of it."""
    secure = request.url.scheme == "https" or request.headers.get("origin", "").startswith("https:")
    answer.set_cookie(
        COOKIE, session, max_age=int(LASTS.total_seconds()), path="/",
        secure=secure, httponly=True, samesite="strict",
    )  # fmt: skip


def forget(answer: Response) -> None:
    """Have the browser show it no more."""
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
