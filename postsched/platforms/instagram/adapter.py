"""Instagram as a platform.

`prepare` makes a container, which nobody sees, and waits until it is finished; `publish` makes it
visible; a lost answer is settled by the container's state. Sources: fact sheet instagram.md, which
cites developers.facebook.com/docs/instagram-platform.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from postsched.domain.capabilities import Capabilities
from postsched.domain.delivery import Role
from postsched.domain.outcome import ErrorKind, Published
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
from postsched.platforms.graph.api import Graph, node
from postsched.platforms.graph.containers import Status
from postsched.platforms.graph.quota import require_quota
from postsched.platforms.graph.refusals import is_refusal
from postsched.platforms.instagram import comment, content, profile

if TYPE_CHECKING:
    import httpx

SERVICE = "https://graph.instagram.com"
LOGIN = "https://www.instagram.com"
TOKENS = "https://api.instagram.com"
VERSION = "v26.0"
SCOPES = (
    "instagram_business_basic",
    "instagram_business_content_publish",
    "instagram_business_manage_comments",
)


class Instagram(Platform):
    """Posts of a professional account."""

    name = "instagram"
    title = "Instagram"
    url: ClassVar[str | None] = SERVICE
    login_hint: ClassVar[str] = (
        "an access token (Meta App Dashboard, Instagram, API setup, Generate access token). It "
        "lives for 60 days, and is renewed where its end is known: as "
        '{"access_token": …, "expires_at": "2027-01-20T12:00:00Z"}'
    )
    settings: ClassVar[Mapping[str, str]] = {
        "login": "instagram, or facebook for a token of Facebook Login (with "
        "--url https://graph.facebook.com)"
    }
    secret_settings: ClassVar[frozenset[str]] = frozenset(
        {"token", "access_token", "client_secret"}
    )

    async def inspect(self, login: Login, http: httpx.AsyncClient) -> dict[str, Any]:
        """Ask which account this is."""
        return await profile.inspect(login, Graph(login, http, VERSION))

    def capabilities(self, facts: Mapping[str, Any]) -> Capabilities:
        """The same for every account, but that posts can be deleted by Facebook Login only."""
        return replace(content.CAPABILITIES, delete=facts.get("login") == "facebook")

    async def prepare(
        self, message: Message, login: Login, http: httpx.AsyncClient
    ) -> dict[str, Any]:
        """Make the container, and wait until it is finished."""
        graph = Graph(login, http, VERSION)
        if message.role is Role.COMMENT:
            return {"comment": message.text}
        content.require_possible(message)
        owner = await profile.profile_of(login, graph)
        await require_quota(graph, f"{owner}/content_publishing_limit", "quota_usage", "config")
        container, found = await content.build(message, graph, owner)
        return {
            "container": container,
            "ready": found.status is Status.FINISHED,
            "made_at": message.now.astimezone(UTC).isoformat(),
            "text": content.caption(message),
            "profile": owner,
        }

    async def publish(
        self, prepared: Prepared, key: str, login: Login, http: httpx.AsyncClient
    ) -> Published:
        """Publish the container, or the comment."""
        graph = Graph(login, http, VERSION)
        if prepared.role is Role.COMMENT:
            return await comment.publish(graph, prepared)
        return await publishing.publish(graph, content.dialect(prepared.data["profile"]), prepared)

    async def find(
        self,
        prepared: Prepared,
        key: str,
        login: Login,
        http: httpx.AsyncClient,
        since: datetime,
    ) -> Published | Unknown | None:
        """Ask for the container's state, and which post it became; or read the comments."""
        graph = Graph(login, http, VERSION)
        if prepared.role is Role.COMMENT:
            return await comment.find(graph, prepared, login.facts.get("username"), since)
        spoken = content.dialect(prepared.data["profile"])
        return await publishing.find(graph, spoken, prepared, since)

    async def delete(self, published: Published, login: Login, http: httpx.AsyncClient) -> None:
        """Delete the post, where Facebook Login permits it."""
        if not profile.by_facebook(login):
            raise PlatformError(
                ErrorKind.PERMANENT, "Instagram lets nobody delete posts by this login",
                hint="Delete it in the app",
            )  # fmt: skip
        graph = Graph(login, http, VERSION)
        response = await graph.delete(node(published.remote_id))
        if not (is_refusal(response) and graph.read(response).is_unseen):
            graph.judge(response)

    def oauth(self, login: Login) -> oauth.OAuth | None:
        """By an app of one's own, whose redirect has to be https: its address is pasted. The token
        that the code gives lives for an hour, and is traded for one of 60 days."""
        if login.settings.get("login") == "facebook":
            return None
        ours = login.url == SERVICE
        trade = f"{login.url}/access_token"
        authorize = f"{LOGIN if ours else login.url}/oauth/authorize"
        token = f"{TOKENS if ours else login.url}/oauth/access_token"
        return oauth.OAuth(
            authorize_url=login.service.authorize_url or authorize,
            token_url=login.service.token_url or token,
            scopes=SCOPES,
            scope_separator=",",
            redirect="https://localhost/callback",
            pkce=False,
            client_auth="body",
            loopback=False,
            client_hint=(
                "Make an app at https://developers.facebook.com/apps with Instagram and its login "
                "for business, and register https://localhost/callback"
            ),
            needed=SCOPES[:2],
            lasting=partial(tokens.lasting, trade, "ig_exchange_token"),
        )

    def stale(self, login: Login, now: datetime) -> bool:
        """Whether a token whose end is known is a week old."""
        return tokens.stale(login, now)

    async def refresh(
        self, login: Login, http: httpx.AsyncClient, now: datetime, *, refused: bool
    ) -> Renewal | None:
        """60 days more; a token that is refused can't be renewed, nor one of Facebook's."""
        if refused or not self.stale(login, now) or profile.by_facebook(login):
            return None
        url = f"{login.url}/refresh_access_token"
        return await tokens.refresh(login, http, url, "ig_refresh_token", now)
