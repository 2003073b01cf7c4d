"""Threads as a platform.

`prepare` makes a container, which nobody sees, and waits until it is finished; `publish` makes it
visible; a lost answer is settled by the container's state. A reply names what it replies to in its
container, so that is made once the part before is out. Sources: fact sheet threads.md, which cites
developers.facebook.com/docs/threads.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from postsched.domain.capabilities import Capabilities
from postsched.domain.outcome import Published
from postsched.platforms import oauth
from postsched.platforms.base import (
    Login,
    Message,
    Platform,
    PlatformError,
    Prepared,
    Renewal,
    Unknown,
)
from postsched.platforms.graph import publishing, tokens
from postsched.platforms.graph.api import Graph, node, unreadable
from postsched.platforms.graph.containers import Status
from postsched.platforms.graph.quota import require_quota
from postsched.platforms.graph.refusals import is_refusal
from postsched.platforms.threads import ability, content

if TYPE_CHECKING:
    import httpx

SERVICE = "https://graph.threads.net"
LOGIN = "https://threads.net"
VERSION = "v1.0"
SCOPES = (
    "threads_basic",
    "threads_content_publish",
    "threads_manage_replies",
    "threads_read_replies",
    "threads_delete",
)
QUOTA = "me/threads_publishing_limit"


class Threads(Platform):
    """Posts of one profile."""

    name = "threads"
    title = "Threads"
    url: ClassVar[str | None] = SERVICE
    login_hint: ClassVar[str] = (
        "an access token (Meta App Dashboard, Use cases, Threads, User Token Generator). It lives "
        "for 60 days, and is renewed where its end is known: as "
        '{"access_token": …, "expires_at": "2027-01-20T12:00:00Z"}'
    )
    secret_settings: ClassVar[frozenset[str]] = frozenset(
        {"token", "access_token", "client_secret"}
    )

    async def inspect(self, login: Login, http: httpx.AsyncClient) -> dict[str, Any]:
        """Ask who this is, and when the token ends."""
        graph = Graph(login, http, VERSION)
        response = await graph.get("me", fields="id,username,name")
        who = graph.object(response)
        if not who.get("id"):
            raise unreadable(response)
        name = str(who.get("username") or who["id"])
        end = await _token_end(graph, login)
        return {"user": f"@{name}", "id": str(who["id"]), "username": name, **end}

    def capabilities(self, facts: Mapping[str, Any]) -> Capabilities:
        """The same for every account."""
        return ability.CAPABILITIES

    async def prepare(
        self, message: Message, login: Login, http: httpx.AsyncClient
    ) -> dict[str, Any]:
        """Make the container, and wait until it is finished."""
        content.require_possible(message)
        graph, parent = Graph(login, http, VERSION), content.reply_to(message)
        kind = "" if parent is None else "reply_"
        await require_quota(graph, QUOTA, f"{kind}quota_usage", f"{kind}config")
        container, found = await content.build(message, graph)
        return {
            "container": container,
            "ready": found.status is Status.FINISHED,
            "made_at": message.now.astimezone(UTC).isoformat(),
            "text": content.text_of(message),
            "reply_to": parent,
        }

    async def publish(
        self, prepared: Prepared, key: str, login: Login, http: httpx.AsyncClient
    ) -> Published:
        """Publish the container."""
        return await publishing.publish(Graph(login, http, VERSION), content.DIALECT, prepared)

    async def find(
        self,
        prepared: Prepared,
        key: str,
        login: Login,
        http: httpx.AsyncClient,
        since: datetime,
    ) -> Published | Unknown | None:
        """Ask for the container's state, and which post it became."""
        return await publishing.find(Graph(login, http, VERSION), content.DIALECT, prepared, since)

    async def delete(self, published: Published, login: Login, http: httpx.AsyncClient) -> None:
        """Delete the post."""
        graph = Graph(login, http, VERSION)
        response = await graph.delete(node(published.remote_id))
        if not (is_refusal(response) and graph.read(response).is_unseen):
            graph.judge(response)

    def oauth(self, login: Login) -> oauth.OAuth:
        """By an app of one's own, whose redirect has to be https: its address is pasted. The token
        that the code gives lives for an hour, and is traded for one of 60 days."""
        base = LOGIN if login.url == SERVICE else login.url
        trade = f"{login.url}/access_token"
        return oauth.OAuth(
            authorize_url=login.service.authorize_url or f"{base}/oauth/authorize",
            token_url=login.service.token_url or f"{login.url}/oauth/access_token",
            scopes=SCOPES,
            scope_separator=",",
            redirect="https://localhost/callback",
            pkce=False,
            client_auth="body",
            loopback=False,
            client_hint=(
                "Make an app at https://developers.facebook.com/apps with the use case Threads, "
                "and register https://localhost/callback; it is the id of the Threads app"
            ),
            needed=("threads_basic", "threads_content_publish"),
            lasting=partial(tokens.lasting, trade, "th_exchange_token"),
        )

    def stale(self, login: Login, now: datetime) -> bool:
        """Whether a token whose end is known is a week old."""
        return tokens.stale(login, now)

    async def refresh(
        self, login: Login, http: httpx.AsyncClient, now: datetime, *, refused: bool
    ) -> Renewal | None:
        """60 days more; a token that is refused can't be renewed."""
        if refused or not self.stale(login, now):
            return None
        url = f"{login.url}/refresh_access_token"
        return await tokens.refresh(login, http, url, "th_refresh_token", now)


async def _token_end(graph: Graph, login: Login) -> dict[str, str]:
    """The fact `token_expires_at` (RFC 3339, UTC), empty where Threads doesn't tell it."""
    import httpx

    try:
        token = login.secret.text if login.secret else ""
        said = graph.object(await graph.get("debug_token", input_token=token)).get("data")
        end = datetime.fromtimestamp(float(said["expires_at"]), UTC) if said else None
    except (PlatformError, httpx.HTTPError, KeyError, TypeError, ValueError, OverflowError,
            OSError):  # fmt: skip
        return {}
    return {"token_expires_at": end.isoformat()} if end and end.timestamp() > 0 else {}
