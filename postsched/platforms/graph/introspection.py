"""What Meta says of a token, where it says anything (`debug_token`; fact sheets, section 1).

Where it does not, nothing is lost but the warning ahead of time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from postsched.platforms.base import Login, PlatformError
from postsched.platforms.graph.api import Graph
from postsched.platforms.oauth import client_of

if TYPE_CHECKING:
    import httpx


async def by_itself(graph: Graph, login: Login) -> Mapping[str, Any]:
    """What a token may ask about itself (Threads); empty where nothing is said."""
    token = login.secret.text if login.secret else ""
    return await _said(graph, lambda: graph.get("debug_token", input_token=token))


async def by_app(graph: Graph, login: Login, http: httpx.AsyncClient) -> Mapping[str, Any]:
    """What the app that has given a token may ask about it; empty where the app is not known, or
    nothing is said."""
    client = client_of(login)
    if client is None or not client.secret or login.secret is None:
        return {}
    from postsched.platforms.secret_address import send_unseen  # it loads httpx

    url, app = graph.address("debug_token"), f"{client.id}|{client.secret}"
    params = {"input_token": login.secret.text, "access_token": app}
    return await _said(graph, lambda: send_unseen(http, "GET", url, params))


def end_of(said: Mapping[str, Any], *names: str) -> dict[str, str]:
    """The fact `token_expires_at` (RFC 3339, UTC): the earliest of these ends, empty for none. An
    end of 0 is never."""
    ends = [end for name in names if (end := _instant(said.get(name)))]
    return {"token_expires_at": min(ends).isoformat()} if ends else {}


async def _said(graph: Graph, ask: Callable[[], Awaitable[httpx.Response]]) -> Mapping[str, Any]:
    import httpx

    try:
        said = graph.object(await ask()).get("data")
    except (PlatformError, httpx.HTTPError):
        return {}
    return said if isinstance(said, dict) else {}


def _instant(seconds: Any) -> datetime | None:
    try:
        at = datetime.fromtimestamp(float(seconds), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    return at if at.timestamp() > 0 else None
