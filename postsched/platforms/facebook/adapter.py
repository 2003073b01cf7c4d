"""Facebook as a platform.

`prepare` brings photos and films there, which nobody sees; `publish` makes the post. Facebook knows
no keys, so a lost answer is settled by looking at what the Page has posted. Source: fact sheet
facebook.md, which cites developers.facebook.com/docs/pages-api.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from postsched.domain.capabilities import Capabilities
from postsched.domain.delivery import Role
from postsched.domain.outcome import Published
from postsched.platforms.base import Login, Message, Prepared, Unknown
from postsched.platforms.facebook import ability, content, film, lookup, page, reading
from postsched.platforms.graph import comment, pages
from postsched.platforms.graph.adapter import GraphPlatform
from postsched.platforms.graph.api import Graph, id_in
from postsched.platforms.wording import Wording

if TYPE_CHECKING:
    import httpx

    from postsched.platforms.oauth import OAuth

COMMENT = comment.Fields("message", "created_time", "from")


class Facebook(GraphPlatform):
    """Posts of one Page."""

    name = "facebook"
    title = "Facebook"
    version = pages.VERSION
    url: ClassVar[str | None] = pages.SERVICE
    login_hint: ClassVar[str] = (
        "the access token of a Page (Graph API Explorer: the access_token that /me/accounts shows "
        "for it, asked with a long-lived token; it does not expire)"
    )

    async def inspect(self, login: Login, http: httpx.AsyncClient) -> dict[str, Any]:
        """Ask which Page this is, and where the app is known, until when the token is good."""
        return await page.inspect(login, self.graph(login, http), http)

    def capabilities(self, facts: Mapping[str, Any]) -> Capabilities:
        """The same for every Page."""
        return ability.CAPABILITIES

    def wording(self, message: Message, facts: Mapping[str, Any]) -> Wording:
        """The text, and the card of its link."""
        return reading.wording(message)

    async def prepare(
        self, message: Message, login: Login, http: httpx.AsyncClient
    ) -> dict[str, Any]:
        """Bring photos or the film there. The answer is the whole request, whose Page it is, and
        when it may be sent first."""
        graph = self.graph(login, http)
        owner = await page.id_of(login, graph, http)
        if message.role is Role.COMMENT:
            return {"comment": message.text, "page": owner}
        content.require_possible(message)
        made = await content.prepared(message, graph, owner)
        at = max(message.occurrence, message.now).isoformat()
        return {**made, "page": owner, "at": at}

    async def publish(
        self, prepared: Prepared, key: str, login: Login, http: httpx.AsyncClient
    ) -> Published:
        """Post it, or the comment."""
        graph = self.graph(login, http)
        if prepared.role is Role.COMMENT:
            return await comment.publish(graph, prepared)
        return await _posted(graph, prepared.data)

    async def find(
        self,
        prepared: Prepared,
        key: str,
        login: Login,
        http: httpx.AsyncClient,
        since: datetime,
    ) -> Published | Unknown | None:
        """Look through what the Page has posted since; ask for a film by its id."""
        graph = self.graph(login, http)
        if prepared.role is Role.COMMENT:
            return await comment.find(graph, prepared, prepared.data["page"], since, COMMENT)
        if prepared.data.get("film"):
            found = await film.find(graph, str(prepared.data["film"]))
            if isinstance(found, Published) or not prepared.anew:
                return found
        return await lookup.find(graph, prepared, since)

    def oauth(self, login: Login) -> OAuth:
        """By an app of one's own with Facebook Login; its address is pasted. What is kept is the
        token of the Page that the account names, which does not expire."""
        return page.consent(login)


async def _posted(graph: Graph, request: Mapping[str, Any]) -> Published:
    form, edge = dict(request["form"]), request["edge"]
    if edge == "feed":
        form["fields"] = "id,permalink_url"  # with the answer, so that no second request is needed
    response = await graph.post(f"{request['page']}/{edge}", form)
    made = graph.object(response)
    if request.get("film"):
        return film.published(str(request["film"]))
    number = id_in(response, made)
    return film.published(number) if edge == "videos" else lookup.of({**made, "id": number})
