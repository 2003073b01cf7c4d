"""Discord as a platform: API v10, checked against its documentation of 2026-08-06 (fact sheet).

`prepare` freezes the request; `publish` sends it, with its files, which Discord takes no other way.
A webhook's lost answer is a person's to settle, unless a bot may read the channel. A bot that posts
itself gives each message a nonce, by which Discord knows it again for some minutes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from postsched.domain.capabilities import Capabilities, Guarantee, TextRules, Unit
from postsched.domain.outcome import ErrorKind, Published
from postsched.domain.post import Visibility
from postsched.domain.quota import Counts, Quota
from postsched.platforms.base import (
    Login,
    Message,
    Platform,
    PlatformError,
    Prepared,
    Unknown,
)
from postsched.platforms.discord import content, reading
from postsched.platforms.discord import facts as known
from postsched.platforms.discord.access import SERVICE, SNOWFLAKE, channel_of
from postsched.platforms.discord.api import Api, body_of, json_of
from postsched.platforms.discord.refusals import MessageGone
from postsched.platforms.judging import limits_of
from postsched.platforms.wording import Wording

if TYPE_CHECKING:
    import httpx

LIMIT = 2000
NONCE = 25
"""Characters of a step's key that are its nonce: as many as there may be."""
MEMORY = timedelta(minutes=2)
"""How long Discord surely knows a nonce: it says "the past few minutes"."""
LOOK_UPS = (2.0, 20.0)
BY_BOT = {"mention": "nobody is notified by a mention"}
BY_WEBHOOK = {
    **BY_BOT,
    "thread": "the parts follow one after the other, as messages that don't reply to each other",
}


class Discord(Platform):
    """Messages to one channel."""

    name = "discord"
    title = "Discord"
    url: ClassVar[str | None] = SERVICE
    login_hint: ClassVar[str] = (
        "the URL of a webhook (Server Settings, Integrations, Webhooks), or a JSON object: "
        "webhook_url, and bot_token of a bot that may read the channel"
    )
    settings: ClassVar[Mapping[str, str]] = {
        "thread_id": "the number of a thread in the webhook's channel, to post there",
    }
    secret_settings: ClassVar[frozenset[str]] = frozenset(
        {"token", "webhook", "webhook_url", "bot_token", "access_token"}
    )

    async def inspect(self, login: Login, http: httpx.AsyncClient) -> dict[str, Any]:
        """Ask what webhook or bot that is, and whether the bot may read the channel."""
        self.stated(login.settings)
        return await known.read(Api(login, http), login)

    def stated(self, settings: Mapping[str, str]) -> dict[str, Any]:
        """Nothing; but a thread must be a number."""
        _thread(settings)
        return {}

    def capabilities(self, facts: Mapping[str, Any]) -> Capabilities:
        """The limits of Discord, and what a bot makes possible."""
        is_bot = facts.get("kind") == "bot"
        return Capabilities(
            text=TextRules(LIMIT, Unit.UTF16),
            media=content.RULES,
            guarantee=Guarantee(
                MEMORY if is_bot else None,
                can_look_up=facts.get("can_look_up") is True,
                look_ups=LOOK_UPS,
                prepares_alike=True,
            ),
            thread=True,
            visibilities=frozenset({Visibility.PUBLIC}),
            delete=True,
            ways=BY_BOT if is_bot else BY_WEBHOOK,
            # A webhook's, by what others measured; a bot's is told by the headers only.
            quotas=() if is_bot else (Quota(30, timedelta(minutes=1), Counts.MESSAGES),),
            notes=(
                "Text is read as Markdown, and nobody is notified by a mention in it.",
                "Parts of a thread follow one after the other; a bot's reply to the one before.",
                "There are no first comments.",
            ),
        )

    def wording(self, message: Message, facts: Mapping[str, Any]) -> Wording:
        """The text with its link, and what its Markdown means."""
        return reading.wording(message)

    async def prepare(
        self, message: Message, login: Login, http: httpx.AsyncClient
    ) -> dict[str, Any]:
        """Freeze the request; nothing is asked or uploaded."""
        if message.visibility not in (None, Visibility.PUBLIC):
            raise PlatformError(ErrorKind.INVALID, "who may see it can't be chosen on Discord")
        if len(message.attachments) > content.COUNT:
            raise PlatformError(
                ErrorKind.INVALID, f"a message on Discord has {content.COUNT} files at the most"
            )
        return {"payload": content.payload(message), "files": content.files(message)}

    async def publish(
        self, prepared: Prepared, key: str, login: Login, http: httpx.AsyncClient
    ) -> Published:
        """Send it; a bot's as a reply to the part before."""
        api = Api(login, http)
        body = dict(prepared.data["payload"])
        if api.access.webhook is None:
            body |= {"nonce": key[:NONCE], "enforce_nonce": True}
            if (parent := _parent(prepared)) is not None:
                body["message_reference"] = {"message_id": parent}
        whole = body_of(body, await content.contents(prepared.data))
        if api.access.webhook is None:
            response = await api.bot("POST", f"/channels/{channel_of(login)}/messages", **whole)
        else:
            params = {"wait": "true", **_thread(login.settings)}
            response = await api.webhook("POST", params=params, **whole)
        out = content.published(json_of(response), login.facts)
        return replace(out, limits=limits_of(response))

    async def find(
        self,
        prepared: Prepared,
        key: str,
        login: Login,
        http: httpx.AsyncClient,
        since: datetime,
    ) -> Published | Unknown | None:
        """Look through the channel, where there is a bot that may read it; else nobody can tell."""
        api = Api(login, http)
        if api.access.bot is None:
            return Unknown("Discord does not tell what a webhook has posted", final=True)
        from postsched.platforms.discord import lookup  # what only a lost answer needs

        facts = login.facts or await self.inspect(login, http)
        by_bot = api.access.webhook is None
        wanted = lookup.Wanted(
            prepared,
            api.access.webhook_id,
            content.snowflake(facts, "bot_id"),
            key[:NONCE] if by_bot else None,
            _parent(prepared) if by_bot else None,
        )
        channel = _thread(login.settings).get("thread_id") or content.snowflake(facts, "channel_id")
        if channel is None:
            return Unknown("the channel of the webhook is not known", final=True)
        return await lookup.find(api, channel, wanted, since, facts)

    async def delete(self, published: Published, login: Login, http: httpx.AsyncClient) -> None:
        """Delete the message."""
        api = Api(login, http)
        number = content.known_id(published.remote_id)
        with contextlib.suppress(MessageGone):
            if api.access.webhook is None:
                channel = content.snowflake(published.data, "channel_id") or channel_of(login)
                await api.bot("DELETE", f"/channels/{channel}/messages/{number}")
            else:
                params = _thread(login.settings)
                await api.webhook("DELETE", f"/messages/{number}", params=params)


def _thread(settings: Mapping[str, str]) -> dict[str, str]:
    """The thread to post to, as a parameter. Raises PlatformError(INVALID) if it can't be one."""
    given = settings.get("thread_id", "").strip()
    if not given:
        return {}
    if SNOWFLAKE.fullmatch(given):
        return {"thread_id": given}
    raise PlatformError(ErrorKind.INVALID, f"thread_id is a number, not {given!r}")


def _parent(prepared: Prepared) -> str | None:
    """The message that a part replies to: the part before it."""
    if prepared.n == 1:
        return None
    if prepared.parent is None:
        raise PlatformError(ErrorKind.INVALID, "the part that it replies to is not known")
    return content.known_id(prepared.parent.remote_id)
