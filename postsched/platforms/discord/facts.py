"""What is known of a webhook or a bot, and of its channel: asked of Discord."""

from __future__ import annotations

import contextlib
from typing import Any

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import Login, PlatformError
from postsched.platforms.discord.access import channel_of
from postsched.platforms.discord.api import Api, json_of
from postsched.platforms.discord.content import snowflake


async def read(api: Api, login: Login) -> dict[str, Any]:
    """The account's facts. Raises PlatformError(AUTH) if the webhook or the token is refused."""
    if api.access.webhook is None:
        return await _of_bot(api, login)
    document = json_of(await api.webhook("GET"))
    if snowflake(document, "id") != api.access.webhook_id:
        raise _stranger()
    channel = snowflake(document, "channel_id")
    facts: dict[str, Any] = {
        "user": api.access.scrub(str(document.get("name") or document["id"])),
        "kind": "webhook",
        "channel_id": channel,
        "guild_id": snowflake(document, "guild_id"),
        "can_look_up": False,
    }
    if api.access.bot is None or channel is None:
        return facts
    await _bot(api)
    place = login.settings.get("thread_id", "").strip() or channel
    return {**facts, "can_look_up": await _may_read(api, place)}


async def _of_bot(api: Api, login: Login) -> dict[str, Any]:
    channel = channel_of(login)
    bot = await _bot(api)
    guild = None
    with contextlib.suppress(_Unseen):
        guild = snowflake(await _asked(api, f"/channels/{channel}"), "guild_id")
    return {
        "user": api.access.scrub(str(bot.get("username") or bot["id"])),
        "kind": "bot",
        "bot_id": bot["id"],
        "channel_id": channel,
        "guild_id": guild,
        "can_look_up": await _may_read(api, channel),
    }


async def _bot(api: Api) -> dict[str, Any]:
    bot = json_of(await api.bot("GET", "/users/@me"))
    if not isinstance(bot, dict) or snowflake(bot, "id") is None:
        raise _stranger()
    return bot


async def _may_read(api: Api, channel: str) -> bool:
    """Whether the bot may read the channel. Without that it can post, and not look up."""
    try:
        return isinstance(await _asked(api, f"/channels/{channel}/messages?limit=1"), list)
    except _Unseen:
        return False


class _Unseen(Exception):
    """Discord does not show it to the bot."""


async def _asked(api: Api, path: str) -> Any:
    try:
        return json_of(await api.bot("GET", path))
    except PlatformError as error:
        if error.problem.kind in (ErrorKind.TRANSIENT, ErrorKind.RATE_LIMIT):
            raise
        raise _Unseen from None


def _stranger() -> PlatformError:
    return PlatformError(
        ErrorKind.INVALID,
        "the server does not answer as Discord does",
        hint="Check the account's URL",
    )
