"""Instagram as a platform.

`prepare` makes a container, which nobody sees, and waits until it is finished; `publish` makes it
visible; a lost answer is settled by the container's state. Sources: fact sheet instagram.md, which
cites developers.facebook.com/docs/instagram-platform.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from postsched.domain.capabilities import Capabilities
from postsched.domain.delivery import Role
from postsched.domain.outcome import ErrorKind, Published
from postsched.platforms.base import Login, Message, PlatformError, Prepared, Renewal, Unknown
from postsched.platforms.graph import comment, pages, publishing, tokens
from postsched.platforms.graph.adapter import GraphPlatform
from postsched.platforms.graph.api import Graph
from postsched.platforms.graph.containers import Status
from postsched.platforms.graph.quota import require_quota
from postsched.platforms.instagram import content, profile, reading
from postsched.platforms.wording import Wording

if TYPE_CHECKING:
    import httpx

    from postsched.platforms.oauth import OAuth

COMMENT = comment.Fields()


class Instagram(GraphPlatform):
    """Posts of a professional account."""

    name = "instagram"
    title = "Instagram"
    version = pages.VERSION
    url: ClassVar[str | None] = profile.SERVICE
    login_hint: ClassVar[str] = (
        "an access token (Meta App Dashboard, Instagram, API setup, Generate access token). It "
        "lives for 60 days, and is renewed where its end is known: as "
        '{"access_token": …, "expires_at": "2027-01-20T12:00:00Z"}'
    )
    settings: ClassVar[Mapping[str, str]] = {
        "login": "instagram, or facebook for Facebook Login, by the Page that the account belongs "
        "to"
    }

    def graph(self, login: Login, http: httpx.AsyncClient) -> Graph:
        """The API, at the host of the login's kind."""
        return super().graph(profile.at_home(login), http)

    async def inspect(self, login: Login, http: httpx.AsyncClient) -> dict[str, Any]:
        """Ask which account this is."""
        return await profile.inspect(login, self.graph(login, http), http)

    def capabilities(self, facts: Mapping[str, Any]) -> Capabilities:
        """The same for every account, but that by Facebook Login posts can be deleted, and films
        brought there."""
        by_facebook = facts.get("login") == "facebook"
        return content.BY_FACEBOOK if by_facebook else content.CAPABILITIES

    def wording(self, message: Message, facts: Mapping[str, Any]) -> Wording:
        """The caption."""
        return reading.wording(message)

    async def prepare(
        self, message: Message, login: Login, http: httpx.AsyncClient
    ) -> dict[str, Any]:
        """Make the container, and wait until it is finished."""
        if message.role is Role.COMMENT:
            return {"comment": message.text}
        content.require_possible(message, by_facebook=profile.by_facebook(login))
        graph = self.graph(login, http)
        owner = await profile.id_of(login, graph, http)
        limit = f"{owner}/content_publishing_limit"
        quota = await require_quota(graph, limit, "quota_usage", "config", message.now)
        container, found = await content.build(message, graph, owner)
        return {
            "container": container,
            "ready": found.status is Status.FINISHED,
            "quota": quota,
            "made_at": message.now.astimezone(UTC).isoformat(),
            "text": content.caption(message),
            "profile": owner,
        }

    async def publish(
        self, prepared: Prepared, key: str, login: Login, http: httpx.AsyncClient
    ) -> Published:
        """Publish the container, or the comment."""
        graph = self.graph(login, http)
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
        graph = self.graph(login, http)
        if prepared.role is Role.COMMENT:
            return await comment.find(graph, prepared, login.facts.get("username"), since, COMMENT)
        spoken = content.dialect(prepared.data["profile"])
        return await publishing.find(graph, spoken, prepared, since)

    async def delete(self, published: Published, login: Login, http: httpx.AsyncClient) -> None:
        """Delete the post, where Facebook Login permits it."""
        if not profile.by_facebook(login):
            raise PlatformError(
                ErrorKind.PERMANENT, "Instagram lets nobody delete posts by this login",
                hint="Delete it in the app",
            )  # fmt: skip
        await super().delete(published, login, http)

    def oauth(self, login: Login) -> OAuth:
        """By an app of one's own, with Instagram's login or Facebook's; its address is pasted."""
        return profile.description(login)

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
