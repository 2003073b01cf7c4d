"""Tokens that live for 60 days: from one of an hour, and from one that is at least a day old.

Both are GETs with the token in the query, as documented (fact sheets, section 2). A secret that is
renewed is a JSON object with `access_token` and `expires_at`; a bare token is used as it is, for
nobody knows how old it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.platforms.base import Login, PlatformError, Renewal
from postsched.platforms.graph.api import json_of
from postsched.platforms.graph.refusals import is_refusal, read
from postsched.platforms.oauth import Client, expiry

if TYPE_CHECKING:
    import httpx

FACEBOOK = "fb_exchange_token"
"""The grant of Facebook Login, which calls things otherwise."""
LIFE = timedelta(days=60)
AGE = timedelta(days=7)
"""How old a token gets before it is renewed."""


async def lasting(
    url: str, grant: str, tokens: Mapping[str, Any], client: Client, http: httpx.AsyncClient
) -> Mapping[str, Any]:
    """Trade a token of an hour for one of 60 days; the answer, with its `expires_in`."""
    token = str(tokens.get("access_token"))
    params = {"grant_type": grant, "client_secret": client.secret or ""}
    if grant == FACEBOOK:
        params |= {"client_id": client.id, "fb_exchange_token": token}
    else:
        params["access_token"] = token
    hidden = Secret({"token": token, "secret": client.secret})
    return await _asked(http, url, params, hidden)


def stale(login: Login, now: datetime) -> bool:
    """Whether a token that has not ended is a week old."""
    end = expiry(login.secret) if login.secret else None
    return end is not None and now < end <= now + LIFE - AGE


async def refresh(
    login: Login, http: httpx.AsyncClient, url: str, grant: str, now: datetime
) -> Renewal:
    """A token for 60 days more; the one before is kept until the new one has worked."""
    assert login.secret is not None, "a login without a secret is never renewed"
    kept = login.secret.reveal()
    assert not isinstance(kept, str), "a bare token is never renewed"
    params = {"grant_type": grant, "access_token": login.secret.text}
    answer = await _asked(http, url, params, login.secret)
    end = now.astimezone(UTC) + _life(answer.get("expires_in"))
    fresh = {
        **kept,
        "access_token": answer["access_token"],
        "expires_at": end.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "previous": {name: kept[name] for name in ("access_token", "expires_at")},
    }
    return Renewal(Secret(fresh), end)


async def _asked(
    http: httpx.AsyncClient, url: str, params: Mapping[str, str], hidden: Secret
) -> Mapping[str, Any]:
    from postsched.platforms.secret_address import send_unseen  # it loads httpx

    response = await send_unseen(http, "GET", url, params)
    if is_refusal(response):
        error = read(response, hidden.scrub).error()
        if response.status_code == 400 and error.problem.kind is ErrorKind.INVALID:
            raise PlatformError(ErrorKind.AUTH, error.problem.message, http_status=400)
        raise error
    answer = json_of(response)
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token:
        raise PlatformError(ErrorKind.TRANSIENT, "the network's answer has no token in it")
    assert isinstance(answer, dict)
    return answer


def _life(seconds: Any) -> timedelta:
    """How long a token lives, as it is said; the documented time where it isn't."""
    if isinstance(seconds, str) and seconds.isdecimal():
        seconds = int(seconds[:12])
    said = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    return timedelta(seconds=seconds) if said and 0 < seconds < 10**9 else LIFE
