"""Logging in to a Mastodon server: postsched registers an app of its own, once for each login.

Sources: docs.joinmastodon.org/methods/apps and /oauth. Servers before 4.3 ignore PKCE. Tokens of
Mastodon never end; those of Pleroma and Akkoma do, and are renewed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import Login, PlatformError
from postsched.platforms.mastodon.api import SCOPES, json_of, judge
from postsched.platforms.oauth import Client, OAuth

if TYPE_CHECKING:
    import httpx

NAME = "postsched"
"""What the server shows as the app of a post."""


def description(login: Login) -> OAuth:
    """How one logs in to the account's server."""
    return OAuth(
        authorize_url=login.service.authorize_url or f"{login.url}/oauth/authorize",
        token_url=login.service.token_url or f"{login.url}/oauth/token",
        scopes=tuple(SCOPES.split()),
        shown="urn:ietf:wg:oauth:2.0:oob",
    )


async def register(login: Login, http: httpx.AsyncClient, redirect_uri: str) -> Client:
    """Register an app. One redirect only: servers differ in how they part several."""
    response = await http.post(
        f"{login.url}/api/v1/apps",
        json={"client_name": NAME, "redirect_uris": redirect_uri, "scopes": SCOPES},
        headers={"Accept-Language": "en"},
    )
    judge(response)
    app = json_of(response)
    fields = app if isinstance(app, dict) else {}
    client_id, secret = fields.get("client_id"), fields.get("client_secret")
    if not isinstance(client_id, str) or not isinstance(secret, str) or not client_id:
        raise PlatformError(ErrorKind.TRANSIENT, "the server's answer does not name the app")
    return Client(client_id, secret or None)
