"""What is known of a bot and its chat: asked of Telegram, or said by the account's settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import Login, PlatformError
from postsched.platforms.telegram.api import Api, chat_of

CHAT = re.compile(r"-?[0-9]{1,18}")


async def read(api: Api, login: Login) -> dict[str, Any]:
    """The account's facts. Raises PlatformError(AUTH) if the token is refused or the bot may not
    post."""
    bot = await api.call("getMe")
    if not isinstance(bot, dict) or not isinstance(bot.get("id"), int):
        raise _stranger()
    wanted = chat_of(login)
    chat = await api.call("getChat", {"chat_id": wanted})
    if not isinstance(chat, dict) or not isinstance(chat.get("id"), int):
        raise _stranger()
    if chat.get("type") == "channel":
        await _require_right(api, login, wanted, bot["id"])
    name = chat.get("username")
    facts = {
        "user": f"@{name}" if name else str(chat.get("title") or chat["id"]),
        "bot": f"@{bot.get('username')}",
        "chat_id": chat["id"],
        "protected": chat.get("has_protected_content") is True,
    }
    return {**facts, "username": name} if isinstance(name, str) and name else facts


async def _require_right(api: Api, login: Login, chat: int | str, bot: int) -> None:
    """Raise if Telegram says that the bot may not post; where it does not say, a post will show."""
    try:
        member = await api.call("getChatMember", {"chat_id": chat, "user_id": bot})
    except PlatformError as error:
        if error.problem.kind in (ErrorKind.TRANSIENT, ErrorKind.RATE_LIMIT):
            raise
        return
    said = member if isinstance(member, dict) else {}
    status = said.get("status")
    may_post = status == "creator" or said.get("can_post_messages") is not False
    if status in ("left", "kicked", "member", "restricted") or not may_post:
        raise PlatformError(
            ErrorKind.AUTH,
            f"the bot may not post to {login.user}",
            hint="Make it an administrator of the channel with the right to post messages, then: "
            f"postsched account check {login.account}",
            hold=True,
        )


def probe_chat(settings: Mapping[str, str]) -> int | None:
    """The chat for probing, None if there is none. Raises PlatformError(INVALID) if it can't be
    one."""
    given = settings.get("probe_chat", "").strip()
    if not given:
        return None
    if CHAT.fullmatch(given):
        return int(given)
    raise PlatformError(
        ErrorKind.INVALID,
        f"probe_chat is the number of a chat, not {given!r}",
        hint="Write to the bot in private; your own number is that chat's",
    )


def _stranger() -> PlatformError:
    return PlatformError(
        ErrorKind.INVALID,
        "the server does not answer as Telegram does",
        hint="Check the account's URL",
    )
