"""LinkedIn as a platform.

`prepare` uploads the media and freezes the request to the byte; `publish` sends it. There is no
key: a person's post whose answer was lost is sent again within minutes, and the refusal as a
duplicate names it; an organization's posts are read. Sources: fact sheet linkedin.md, which cites
Microsoft's documentation of the Posts, Images, Videos, Documents and Comments APIs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from postsched.domain.capabilities import Capabilities
from postsched.domain.delivery import Role
from postsched.domain.outcome import ErrorKind, Published
from postsched.domain.post import Visibility
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
from postsched.platforms.linkedin import ability, author, comment, duplicate, reading, urn
from postsched.platforms.linkedin.api import Api, plain
from postsched.platforms.linkedin.content import content
from postsched.platforms.linkedin.introspection import token_end
from postsched.platforms.linkedin.refusal import judge, unreadable
from postsched.platforms.wording import Wording

if TYPE_CHECKING:
    import httpx

SERVICE = "https://api.linkedin.com"
LOGIN = "https://www.linkedin.com"
PERSONAL = ("openid", "profile", "w_member_social")
"""The scopes that everybody's app can have."""
FOR_PAGES = ("w_organization_social", "r_organization_social", "rw_organization_admin")
"""Those of the Community Management API, which excludes the others."""


class LinkedIn(Platform):
    """Posts of a person or an organization."""

    name = "linkedin"
    title = "LinkedIn"
    url: ClassVar[str | None] = SERVICE
    login_hint: ClassVar[str] = (
        "an access token (Developer Portal, Token Generator; scopes openid profile "
        "w_member_social). --user NUMBER posts for that organization"
    )
    secret_settings: ClassVar[frozenset[str]] = frozenset(
        {"token", "access_token", "refresh_token", "client_secret"}
    )
    usual_facts: ClassVar[Mapping[str, Any]] = {"kind": "person"}

    async def inspect(self, login: Login, http: httpx.AsyncClient) -> dict[str, Any]:
        """Ask whose token it is, or whether it may read the organization's posts; and when it
        ends."""
        facts = await author.inspect(login, Api(login, http))
        return {**facts, **await token_end(login, _token_url(login), http)}

    def capabilities(self, facts: Mapping[str, Any]) -> Capabilities:
        """The limits are those of all; persons and organizations differ in what can be asked."""
        return ability.capabilities(facts)

    def wording(self, message: Message, facts: Mapping[str, Any]) -> Wording:
        """The text, its escapes, and the card of its link."""
        return reading.wording(message)

    async def prepare(
        self, message: Message, login: Login, http: httpx.AsyncClient
    ) -> dict[str, Any]:
        """Upload the media or make the link card, and freeze the request."""
        api = Api(login, http, message.now)
        owner = await author.author(login, api)
        if message.role is Role.COMMENT:
            return {"comment": {"actor": owner, "message": {"text": message.text}}}
        _require_possible(message)
        text = reading.text_of(message)
        body = _post(owner, text, message.visibility)
        notes: list[str] = []
        if shown := await content(message, owner, api, notes):
            body["content"] = shown
        data: dict[str, Any] = {"body": plain(body), "text": text}
        data |= {"notes": notes} if notes else {}
        # Since when the organization's posts are worth a look.
        return {**data, "looked_up_from": message.now.isoformat()} if _looks_up(login) else data

    async def publish(
        self, prepared: Prepared, key: str, login: Login, http: httpx.AsyncClient
    ) -> Published:
        """Send the frozen request, or the comment."""
        api = Api(login, http, prepared.now)
        if prepared.role is Role.COMMENT:
            return await comment.publish(prepared, api)
        response = await api.post("posts", prepared.data["body"])
        if duplicate.is_duplicate(response):
            return duplicate.settle(response, prepared)
        if response.status_code == 409:
            raise duplicate.conflict(response)
        judge(response, api.now)
        named = urn.of_post(response.headers.get("x-restli-id", ""))
        if named is None:
            raise unreadable(response, "what was posted")
        return Published(named, urn.permalink(named))

    async def find(
        self,
        prepared: Prepared,
        key: str,
        login: Login,
        http: httpx.AsyncClient,
        since: datetime,
    ) -> Published | Unknown | None:
        """Look through what the organization has posted since; of a person nothing can be read."""
        if prepared.role is Role.COMMENT or not _looks_up(login):
            return Unknown("LinkedIn lets nobody look for it")
        from postsched.platforms.linkedin import lookup  # what only a lost answer needs

        return await lookup.find(Api(login, http, prepared.now), prepared, since)

    async def delete(self, published: Published, login: Login, http: httpx.AsyncClient) -> None:
        """Delete the post; its comment goes with it."""
        if comment.is_comment(published.remote_id):
            return
        api = Api(login, http)
        response = await api.delete(f"posts/{urn.in_path(urn.to_delete(published.remote_id))}")
        if response.status_code not in (404, 410):
            judge(response)

    def oauth(self, login: Login) -> oauth.OAuth | None:
        """By an app of one's own, with its client secret."""
        base = _login_base(login)
        organization = author.organization(login) is not None
        scopes = FOR_PAGES if organization else PERSONAL
        return oauth.OAuth(
            authorize_url=login.service.authorize_url or f"{base}/oauth/v2/authorization",
            token_url=_token_url(login),
            scopes=scopes,
            redirect="http://localhost:{port}/callback",
            pkce=False,
            client_auth="body",
            client_hint=(
                "Make an app at https://www.linkedin.com/developers/apps with the product "
                + ("Community Management API" if organization else "Share on LinkedIn and "
                   "Sign In with LinkedIn using OpenID Connect")
            ),
            needed=tuple(one for one in scopes if one.startswith("w_")),
        )  # fmt: skip

    def stale(self, login: Login, now: datetime) -> bool:
        """Whether the token ends within minutes and can be renewed, as only partners' can."""
        return oauth.stale(login, now)

    async def refresh(
        self, login: Login, http: httpx.AsyncClient, now: datetime, *, refused: bool
    ) -> Renewal | None:
        """A fresh token where LinkedIn has given a refresh token, else None."""
        renewable = login.secret is not None and login.secret.get("refresh_token")
        if not renewable or not (refused or self.stale(login, now)):
            return None
        described = self.oauth(login)
        assert described is not None
        return await oauth.refresh(described, login, http, now)


def _post(owner: str, text: str, visibility: Visibility | None) -> dict[str, Any]:
    return {
        "author": owner,
        "commentary": reading.little(text),
        "visibility": ability.VISIBILITIES[visibility or Visibility.PUBLIC],
        "distribution": {
            "feedDistribution": "MAIN_FEED",
            "targetEntities": [],
            "thirdPartyDistributionChannels": [],
        },
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }


def _login_base(login: Login) -> str:
    """Where people log in: beside the API, or at the account's own address."""
    return LOGIN if login.url == SERVICE else login.url


def _token_url(login: Login) -> str:
    return login.service.token_url or f"{_login_base(login)}/oauth/v2/accessToken"


def _looks_up(login: Login) -> bool:
    return ability.capabilities(login.facts).guarantee.can_look_up


def _require_possible(message: Message) -> None:
    """Raise PlatformError(INVALID) for what LinkedIn can't do."""
    problem = None
    if message.n > 1:
        problem = "LinkedIn has no threads"
    elif message.visibility not in (None, *ability.VISIBILITIES):
        problem = f"LinkedIn has no posts that are {message.visibility}"
    elif message.warning:
        problem = "LinkedIn has no content warnings"
    if problem:
        raise PlatformError(ErrorKind.INVALID, problem)
