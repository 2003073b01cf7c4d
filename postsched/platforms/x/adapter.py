"""X as a platform: its API, version 2.

`prepare` uploads the media and freezes the request, with what a look-up needs; `publish` sends it.
X knows no keys, so a lost answer is settled by looking at the account's own timeline. Source: fact
sheet, checked against X's OpenAPI document 2.167.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from postsched.domain.capabilities import Capabilities, CommentAs, Guarantee, TextRules, Unit
from postsched.domain.outcome import ErrorKind, Published
from postsched.domain.post import Visibility
from postsched.domain.quota import Counts, Quota
from postsched.platforms.base import (
    Login,
    Message,
    Platform,
    PlatformError,
    Prepared,
    Renewal,
    Unknown,
)
from postsched.platforms.judging import limits_of
from postsched.platforms.wording import Wording
from postsched.platforms.x import media, reading
from postsched.platforms.x.api import (
    Api,
    data_of,
    document_of,
    id_of,
    known_id,
    parent_of,
    published,
)
from postsched.platforms.x.credentials import has_keys

if TYPE_CHECKING:
    import httpx

    from postsched.platforms.oauth import OAuth

SERVICE = "https://api.x.com"
AUTHORIZE = "https://x.com/i/oauth2/authorize"
"""Where people consent; X's document names an address at the API, practice this one."""
SCOPES = ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")
CALLBACK = "http://127.0.0.1:{port}/callback"
LIMIT = 280
PREMIUM_LIMIT = 25_000
URL_LENGTH = 23
LOOK_UPS = (15.0, 60.0)
"""Seconds before each look: the timeline shows a new post with delay."""
QUOTAS = (
    Quota(100, timedelta(minutes=15), Counts.MESSAGES),
    Quota(2400, timedelta(hours=24), Counts.MESSAGES),
)
"""Of the API for one user, and of X itself for one account, which is what others say (fact sheet,
section 7). What a plan allows beyond that X does not publish: it bills each post."""
REFUSES_EQUAL = timedelta(hours=24)
"""X gives no number: hours at least."""
REPLIES = ("following", "mentionedUsers", "subscribers", "verified")


class X(Platform):
    """Posts of an account on X."""

    name = "x"
    title = "X"
    url: ClassVar[str | None] = SERVICE
    login_hint: ClassVar[str] = (
        "a user access token of OAuth 2.0, or the four keys of the developer console as JSON: "
        "consumer_key, consumer_secret, token, token_secret"
    )
    settings: ClassVar[Mapping[str, str]] = {
        "premium": "yes for an account with Premium, which may post 25,000 characters",
        "replies": f"who may reply: {', '.join(REPLIES)}; else everyone",
    }
    secret_settings: ClassVar[frozenset[str]] = frozenset(
        {"access_token", "refresh_token", "bearer_token", "client_secret", "consumer_key",
         "consumer_secret", "token", "token_secret", "api_key", "api_secret"}
    )  # fmt: skip

    async def inspect(self, login: Login, http: httpx.AsyncClient) -> dict[str, Any]:
        """Ask who the secret belongs to. What the account may post X does not say."""
        document = await Api(login, http).ask("/2/users/me", **{"user.fields": "username,name"})
        who = data_of(document)
        user_id, username = id_of(who), who.get("username")
        if user_id is None or not isinstance(username, str) or not username:
            raise PlatformError(
                ErrorKind.INVALID,
                "the server does not answer as X does",
                hint="Check the account's URL",
            )
        facts = {"user": f"@{username}", "id": user_id, "username": username}
        return {**facts, **self.stated(login.settings)}

    def stated(self, settings: Mapping[str, str]) -> dict[str, Any]:
        """Whether the account has Premium."""
        _replies(settings)
        return {"premium": _is_premium(settings)}

    def capabilities(self, facts: Mapping[str, Any]) -> Capabilities:
        """The limits of X, and those of Premium where the account is set to have it."""
        limit = PREMIUM_LIMIT if facts.get("premium") is True else LIMIT
        return Capabilities(
            text=TextRules(limit, Unit.WEIGHTED, url_length=URL_LENGTH),
            media=media.RULES,
            guarantee=Guarantee(None, can_look_up=True, look_ups=LOOK_UPS),
            thread=True,
            comment=CommentAs.REPLY,
            visibilities=frozenset({Visibility.PUBLIC}),
            delete=True,
            quotas=QUOTAS,
            refuses_equal=REFUSES_EQUAL,
            notes=(
                "X bills each post, and a link in it makes it cost many times more.",
                "X refuses a text that the account has posted before.",
            ),
        )

    def wording(self, message: Message, facts: Mapping[str, Any]) -> Wording:
        """The text with its link, which X shows cut."""
        return reading.wording(message)

    async def prepare(
        self, message: Message, login: Login, http: httpx.AsyncClient
    ) -> dict[str, Any]:
        """Upload the media. The answer is the whole request but for the parent, whose account it
        is, and when it may be sent first."""
        if message.visibility not in (None, Visibility.PUBLIC):
            raise PlatformError(ErrorKind.INVALID, "every post on X is public")
        media.require_possible(message.attachments)
        api = Api(login, http)
        body: dict[str, Any] = {}
        if text := reading.text_of(message):
            body["text"] = text
        if message.attachments:
            ids = [await media.upload(api, one) for one in message.attachments]
            body["media"] = {"media_ids": ids}
        if (replies := _replies(login.settings)) is not None:
            body["reply_settings"] = replies
        at = max(message.occurrence, message.now).isoformat()
        return {"body": body, "user_id": login.facts.get("id"), "at": at}

    async def publish(
        self, prepared: Prepared, key: str, login: Login, http: httpx.AsyncClient
    ) -> Published:
        """Post it."""
        body = dict(prepared.data["body"])
        if (parent := parent_of(prepared)) is not None:
            body.pop("reply_settings", None)  # they are those of the post it replies to
            body["reply"] = {"in_reply_to_tweet_id": parent}
        api = Api(login, http)
        response = await api.call("POST", "/2/tweets", json=body)
        api.judge(response, with_media="media" in body)
        remote_id = id_of(data_of(document_of(response)))
        if remote_id is None:
            raise PlatformError(
                ErrorKind.TRANSIENT,
                "X's answer does not say what was posted",
                http_status=response.status_code,
                sent=True,
            )
        out = published(remote_id, login.facts.get("username"))
        return replace(out, limits=limits_of(response), evidence=_evidence(remote_id, response))

    async def find(
        self,
        prepared: Prepared,
        key: str,
        login: Login,
        http: httpx.AsyncClient,
        since: datetime,
    ) -> Published | Unknown | None:
        """Look through what the account has posted since."""
        from postsched.platforms.x import lookup  # what only a lost answer needs

        user_id = prepared.data.get("user_id") or login.facts.get("id")
        if not user_id:
            user_id = (await self.inspect(login, http))["id"]
        found = await lookup.find(Api(login, http), known_id(str(user_id)), prepared, since)
        return published(found, login.facts.get("username")) if isinstance(found, str) else found

    async def delete(self, published: Published, login: Login, http: httpx.AsyncClient) -> None:
        """Delete the post."""
        api = Api(login, http)
        response = await api.call("DELETE", f"/2/tweets/{known_id(published.remote_id)}")
        if response.status_code in (404, 410):
            return
        api.judge(response)
        document = document_of(response)
        if data_of(document).get("deleted") is not True and not _is_missing(document):
            raise PlatformError(ErrorKind.TRANSIENT, "X does not say that the post is deleted")

    def oauth(self, login: Login) -> OAuth | None:
        """How one logs in: an app of one's own, with PKCE."""
        from postsched.platforms.oauth import OAuth

        own = login.url and login.url != SERVICE
        return OAuth(
            authorize_url=login.service.authorize_url
            or (f"{login.url}/2/oauth2/authorize" if own else AUTHORIZE),
            token_url=login.service.token_url or f"{login.url or SERVICE}/2/oauth2/token",
            scopes=SCOPES,
            client_auth="basic",
            client_hint=(
                "Make an app at console.x.com (User authentication settings: Native App, read and "
                f"write) with the callback {CALLBACK}, and give its client id"
            ),
            needed=("tweet.read", "tweet.write", "users.read"),
        )

    def stale(self, login: Login, now: datetime) -> bool:
        """Whether the access token ends soon and can be renewed; keys never end."""
        from postsched.platforms import oauth

        return not has_keys(login.secret) and oauth.stale(login, now)

    async def refresh(
        self, login: Login, http: httpx.AsyncClient, now: datetime, *, refused: bool
    ) -> Renewal | None:
        """A new pair of tokens for the refresh token, which works once."""
        from postsched.platforms import oauth

        can_renew = login.secret is not None and login.secret.get("refresh_token")
        description = self.oauth(login)
        if not can_renew or description is None or not (refused or self.stale(login, now)):
            return None
        return await oauth.refresh(description, login, http, now)


def _is_premium(settings: Mapping[str, str]) -> bool:
    given = settings.get("premium", "no").strip().lower()
    if given in ("yes", "true", "on", "1"):
        return True
    if given in ("no", "false", "off", "0", ""):
        return False
    raise PlatformError(ErrorKind.INVALID, f"premium is yes or no, not {given!r}")


def _replies(settings: Mapping[str, str]) -> str | None:
    given = settings.get("replies", "").strip()
    if given in ("", "everyone"):
        return None
    if given in REPLIES:
        return given
    raise PlatformError(
        ErrorKind.INVALID,
        f"X does not know {given!r} for who may reply",
        hint=f"It is one of: everyone, {', '.join(REPLIES)}",
    )


def _evidence(remote_id: str, response: httpx.Response) -> str:
    """The id, and by what X finds the request in its own logs."""
    transaction = response.headers.get("x-transaction-id", "")[:64]
    return f"{remote_id} (transaction {transaction})" if transaction else remote_id


def _is_missing(document: Mapping[str, Any]) -> bool:
    """Whether an answer says that there is no such post."""
    errors = document.get("errors")
    return isinstance(errors, list) and any(
        isinstance(one, dict) and "resource-not-found" in str(one.get("type")) for one in errors
    )
