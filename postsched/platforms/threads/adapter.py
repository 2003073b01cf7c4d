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
from postsched.domain.quota import Counts
from postsched.platforms.base import Login, Message, Prepared, Renewal, Unknown
from postsched.platforms.graph import consent, introspection, publishing, tokens
from postsched.platforms.graph.adapter import GraphPlatform
from postsched.platforms.graph.api import unreadable
from postsched.platforms.graph.containers import Status
from postsched.platforms.graph.quota import require_quota
from postsched.platforms.threads import ability, content, reading
from postsched.platforms.wording import Wording

if TYPE_CHECKING:
    import httpx

    from postsched.platforms.oauth import OAuth

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


class Threads(GraphPlatform):
    """Posts of one profile."""

    name = "threads"
    title = "Threads"
    version = VERSION
    url: ClassVar[str | None] = SERVICE
    login_hint: ClassVar[str] = (
        "an access token (Meta App Dashboard, Use cases, Threads, User Token Generator). It lives "
        "for 60 days, and is renewed where its end is known: as "
        '{"access_token": …, "expires_at": "2027-01-20T12:00:00Z"}'
    )

    async def inspect(self, login: Login, http: httpx.AsyncClient) -> dict[str, Any]:
        """Ask who this is, and when the token ends."""
        graph = self.graph(login, http)
        response = await graph.get("me", fields="id,username,name")
        who = graph.object(response)
        if not who.get("id"):
            raise unreadable(response)
        name = str(who.get("username") or who["id"])
        end = introspection.end_of(await introspection.by_itself(graph, login), "expires_at")
        return {"user": f"@{name}", "id": str(who["id"]), "username": name, **end}

    def capabilities(self, facts: Mapping[str, Any]) -> Capabilities:
        """The same for every account."""
        return ability.CAPABILITIES

    def wording(self, message: Message, facts: Mapping[str, Any]) -> Wording:
        """The text, its topic, and the card of its link."""
        return reading.wording(message)

    async def prepare(
        self, message: Message, login: Login, http: httpx.AsyncClient
    ) -> dict[str, Any]:
        """Make the container, and wait until it is finished."""
        content.require_possible(message)
        graph, parent = self.graph(login, http), content.reply_to(message)
        kind = "" if parent is None else "reply_"
        counted = Counts.REPLIES if kind else Counts.POSTS
        used, config = f"{kind}quota_usage", f"{kind}config"
        quota = await require_quota(graph, QUOTA, used, config, message.now, counted)
        container, found = await content.build(message, graph)
        return {
            "container": container,
            "ready": found.status is Status.FINISHED,
            "quota": quota,
            "made_at": message.now.astimezone(UTC).isoformat(),
            "text": content.text_of(message),
            "reply_to": parent,
        }

    async def publish(
        self, prepared: Prepared, key: str, login: Login, http: httpx.AsyncClient
    ) -> Published:
        """Publish the container."""
        return await publishing.publish(self.graph(login, http), content.DIALECT, prepared)

    async def find(
        self,
        prepared: Prepared,
        key: str,
        login: Login,
        http: httpx.AsyncClient,
        since: datetime,
    ) -> Published | Unknown | None:
        """Ask for the container's state, and which post it became."""
        return await publishing.find(self.graph(login, http), content.DIALECT, prepared, since)

    def oauth(self, login: Login) -> OAuth:
        """By an app of one's own; its address is pasted. The token of an hour that the code gives
        is traded for one of 60 days."""
        base = LOGIN if login.url == SERVICE else login.url
        trade = f"{login.url}/access_token"
        return consent.pasted(
            login,
            f"{base}/oauth/authorize",
            f"{login.url}/oauth/access_token",
            SCOPES,
            needed=SCOPES[:2],
            app="with the use case Threads, and take the id of its Threads app",
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
