"""Logging in to Meta's networks: by an app of one's own, whose redirect has to be https, so that
the address people end at is pasted (fact sheets, section 2)."""

from __future__ import annotations

from postsched.platforms.base import Login
from postsched.platforms.oauth import Lasting, OAuth

REDIRECT = "https://localhost/callback"


def pasted(
    login: Login,
    authorize_url: str,
    token_url: str,
    scopes: tuple[str, ...],
    *,
    needed: tuple[str, ...],
    app: str,
    lasting: Lasting,
    code_in_query: bool = False,
) -> OAuth:
    """How one logs in, at those addresses where nothing else is set. `app` says what kind of app
    it takes; `lasting` trades the token of an hour that the code gives."""
    return OAuth(
        authorize_url=login.service.authorize_url or authorize_url,
        token_url=login.service.token_url or token_url,
        scopes=scopes,
        scope_separator=",",
        redirect=REDIRECT,
        pkce=False,
        client_auth="body",
        loopback=False,
        client_hint=f"Make an app at https://developers.facebook.com/apps {app}, and register "
        f"{REDIRECT}",
        needed=needed,
        lasting=lasting,
        code_in_query=code_in_query,
    )
