"""Mastodon as a platform, and with it every server that speaks its API.

`prepare` uploads the media and freezes the request; `publish` sends it with an Idempotency-Key,
the same at every try, by which a server that remembers keys answers with the same post. Sources:
docs.joinmastodon.org (statuses, media, instance), Mastodon's PostStatusService, Pleroma's
IdempotencyPlug.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from postsched.domain.capabilities import Capabilities
from postsched.domain.outcome import ErrorKind, Published
from postsched.domain.post import Visibility
from postsched.platforms.base import (
    Attachment,
    Login,
    Message,
    Platform,
    PlatformError,
    Prepared,
    Renewal,
    Unknown,
)
from postsched.platforms.judging import limits_of
from postsched.platforms.mastodon import server
from postsched.platforms.mastodon.api import Api, is_json, json_of, judge, published, words_of

if TYPE_CHECKING:
    import httpx

    from postsched.platforms.oauth import Client, OAuth
    from postsched.platforms.wording import Wording

VISIBILITIES = {
    Visibility.PUBLIC: "public",
    Visibility.UNLISTED: "unlisted",
    Visibility.FOLLOWERS: "private",
    Visibility.DIRECT: "direct",
}
POLLS = (0.25, 0.5, 1.0) + (2.0,) * 60
"""Seconds before each look whether an upload is ready: two minutes in all."""
REPLAYS = 10
"""Refusals by one key that are passed over, before a server's own words are taken for it."""


class Mastodon(Platform):
    """Posts as statuses of an account."""

    name = "mastodon"
    title = "Mastodon"
    usual_facts: ClassVar[Mapping[str, Any]] = {"software": "mastodon"}
    login_hint: ClassVar[str] = (
        "an access token (Preferences, Development, New application; scopes "
        "read:accounts read:statuses write:statuses write:media)"
    )
    secret_settings: ClassVar[frozenset[str]] = frozenset(
        {"token", "access_token", "client_secret", "password"}
    )

    async def inspect(self, login: Login, http: httpx.AsyncClient) -> dict[str, Any]:
        """Ask who the token belongs to, what the server runs and what it allows."""
        return await server.read_facts(Api(login, http))

    def capabilities(self, facts: Mapping[str, Any]) -> Capabilities:
        """The limits that the server states, and what its kind is known to do."""
        return server.capabilities(facts)

    def oauth(self, login: Login) -> OAuth:
        """In the browser, at the account's own server."""
        from postsched.platforms.mastodon import app  # what `add` has no use for, as below

        return app.description(login)

    async def register(self, login: Login, http: httpx.AsyncClient, redirect_uri: str) -> Client:
        """An app of our own; every server gives one to anybody."""
        from postsched.platforms.mastodon import app

        return await app.register(login, http, redirect_uri)

    def stale(self, login: Login, now: datetime) -> bool:
        """Where tokens end (Pleroma, Akkoma), before they do."""
        from postsched.platforms.oauth import stale

        return stale(login, now)

    async def refresh(
        self, login: Login, http: httpx.AsyncClient, now: datetime, *, refused: bool
    ) -> Renewal | None:
        """A new pair, where the login has a refresh token."""
        if login.secret is None or not login.secret.get("refresh_token"):
            return None
        from postsched.platforms.oauth import refresh

        return await refresh(self.oauth(login), login, http, now)

    def wording(self, message: Message, facts: Mapping[str, Any]) -> Wording:
        """The text with its link; links are shown cut, mentions without their server."""
        from postsched.platforms.mastodon import reading

        return reading.wording(message)

    async def prepare(
        self, message: Message, login: Login, http: httpx.AsyncClient
    ) -> dict[str, Any]:
        """Upload the media; the answer is the whole request, but for the parent."""
        from postsched.platforms.mastodon import reading

        api = Api(login, http)
        body: dict[str, Any] = {"status": reading.text_of(message)}
        if message.attachments:
            body["media_ids"] = [await _upload(api, one) for one in message.attachments]
        if message.visibility:
            body["visibility"] = VISIBILITIES[message.visibility]
        if message.warning:
            body |= {"spoiler_text": message.warning, "sensitive": True}
        if message.lang:
            body["language"] = message.lang
        return body

    async def publish(
        self, prepared: Prepared, key: str, login: Login, http: httpx.AsyncClient
    ) -> Published:
        """Post the status."""
        body = dict(prepared.data)
        if prepared.parent:
            body["in_reply_to_id"] = prepared.parent.remote_id
        response = await _post(Api(login, http), body, key)
        if response.status_code == 404 and is_json(response):
            raise _gone("in_reply_to_id" in body, words_of(response))
        judge(response)
        return published(json_of(response), limits_of(response))

    async def find(
        self,
        prepared: Prepared,
        key: str,
        login: Login,
        http: httpx.AsyncClient,
        since: datetime,
    ) -> Published | Unknown | None:
        """Look through what the account has posted since."""
        from postsched.platforms.mastodon import lookup  # what only a lost answer needs

        api = Api(login, http)
        account_id = login.facts.get("id")
        if not account_id:
            account_id = (await server.read_facts(api))["id"]
        return await lookup.find(api, str(account_id), prepared, since)

    async def delete(self, published: Published, login: Login, http: httpx.AsyncClient) -> None:
        """Delete the status."""
        api = Api(login, http)
        response = await api.call("DELETE", f"/api/v1/statuses/{published.remote_id}")
        if response.status_code not in (404, 410):
            judge(response)


def _gone(is_reply: bool, words: str) -> PlatformError:
    """What a 404 to a status means: its parent is gone, or itself, for Mastodon answers so to a key
    whose status was deleted since."""
    if is_reply and "reply" in words.lower():
        what, hint = "the post it replies to was deleted", "The rest of a thread can't follow it"
    elif is_reply:
        what, hint = "it or the post it replies to was deleted", "Look at the account"
    else:
        what, hint = "it was out, and was deleted on the server", "Add it anew to post it again"
    return PlatformError(ErrorKind.INVALID, what, http_status=404, hint=hint)


async def _post(api: Api, body: dict[str, Any], key: str) -> httpx.Response:
    """Send the status under its key.

    Pleroma keeps the answer to a key even if it was a refusal, and repeats it (it says so by a
    header). Such a key has posted nothing, so the next one in its row is used, always the same.
    """
    for n in range(REPLAYS):
        own = key if n == 0 else f"{key}-{n}"
        response = await api.call(
            "POST", "/api/v1/statuses", json=body, headers={"Idempotency-Key": own}
        )
        if response.is_success or "idempotent-replayed" not in response.headers:
            break
    return response


async def _upload(api: Api, attachment: Attachment) -> str:
    content = await asyncio.to_thread(attachment.read)
    kind = attachment.media.type or "application/octet-stream"
    name = "media." + kind.partition("/")[2].partition("+")[0]  # never the name on our disk
    fields = {"description": attachment.media.alt} if attachment.media.alt else {}
    for path in ("/api/v2/media", "/api/v1/media"):
        response = await api.call("POST", path, data=fields, files={"file": (name, content, kind)})
        if response.status_code not in (404, 405):
            break
    judge(response)
    document = json_of(response)
    media_id = document.get("id") if isinstance(document, dict) else None
    if not isinstance(media_id, str | int) or media_id == "":
        raise PlatformError(ErrorKind.TRANSIENT, "the server's answer does not name the upload")
    if response.status_code == 202:
        await _ready(api, str(media_id))
    return str(media_id)


async def _ready(api: Api, media_id: str) -> None:
    """Wait until the server has processed an upload."""
    for pause in POLLS:
        await asyncio.sleep(pause)
        response = await api.call("GET", f"/api/v1/media/{media_id}")
        if response.status_code == 404:
            raise PlatformError(
                ErrorKind.TRANSIENT, "the server lost the uploaded file", http_status=404
            )
        judge(response)
        if response.status_code != 206:
            return
    raise PlatformError(ErrorKind.TRANSIENT, "the server is still processing the uploaded file")
