"""When a token ends, which only its app may ask (fact sheet, section 1: introspectToken).

A token from the Token Generator says nothing of its end by itself. Where the app's id and secret
are known LinkedIn is asked; where it does not say, nothing is lost but the warning ahead of time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from postsched.platforms.base import Login
from postsched.platforms.linkedin.refusal import json_object
from postsched.platforms.oauth import client_of

if TYPE_CHECKING:
    import httpx


async def token_end(login: Login, token_url: str, http: httpx.AsyncClient) -> dict[str, str]:
    """The fact `token_expires_at` (RFC 3339, UTC), empty where it can't be known. It is asked for
    beside `token_url`, where tokens are got."""
    import httpx

    client = client_of(login)
    if client is None or client.secret is None or login.secret is None:
        return {}
    form = {"client_id": client.id, "client_secret": client.secret, "token": login.secret.text}
    try:
        beside = token_url.partition("?")[0].rpartition("/")[0]
        response = await http.post(f"{beside}/introspectToken", data=form)
    except httpx.HTTPError:
        return {}
    said = json_object(response)
    try:
        end = datetime.fromtimestamp(float(said["expires_at"]), UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return {}
    # Of another app's token it says nothing, but that it is not active.
    return {"token_expires_at": end.isoformat()} if said.get("active") is True else {}
