"""A sign of life for a dead man's switch, such as Healthchecks.io: a GET to an address that raises
the alarm when none comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postsched.notify.webhook import unreached

if TYPE_CHECKING:
    import httpx


async def beat(url: str, http: httpx.AsyncClient) -> str | None:
    """Give one sign of life; what went wrong, without the address, None if nothing did."""
    import httpx

    try:
        answer = await http.get(url)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return f"the heartbeat address can't be reached: {unreached(error, url)}"
    if not answer.is_success:
        return f"the heartbeat address answers {answer.status_code}"
    return None
