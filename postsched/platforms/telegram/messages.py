"""Messages as the Bot API gives them, and as parts that are out (fact sheet, sections 1 and 8)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from postsched.domain.outcome import ErrorKind, Published
from postsched.platforms.base import PlatformError

USERNAME = re.compile(r"[A-Za-z0-9_]{1,64}")
ID = re.compile(r"[0-9]{1,18}")
SUPERGROUP = "-100"
"""What the numbers of channels and supergroups begin with."""


def published(answer: Any, facts: Mapping[str, Any]) -> Published:
    """A message, or the messages of an album, as a part that is out. Raises PlatformError if it is
    none: then something may be out all the same."""
    messages = answer if isinstance(answer, list) else [answer]
    ids = [_id(one) for one in messages]
    first = messages[0] if messages else None
    chat = first.get("chat") if isinstance(first, dict) else None
    if not ids or None in ids or not isinstance(chat, dict):
        raise PlatformError(
            ErrorKind.TRANSIENT, "Telegram's answer does not say what was posted", sent=True
        )
    return out([one for one in ids if one is not None], chat, facts)


def out(ids: list[int], chat: Mapping[str, Any], facts: Mapping[str, Any]) -> Published:
    """The part that these messages of a chat are, by the number of the first."""
    number = chat.get("id", facts.get("chat_id"))
    number = number if isinstance(number, int) else None
    data: dict[str, Any] = {} if number is None else {"chat": number}
    if len(ids) > 1:
        data["ids"] = ids
    name = chat.get("username") or facts.get("username")
    return Published(str(ids[0]), _address(ids[0], name, number), data)


def ours(published: Published) -> tuple[int | None, list[int]]:
    """The chat (None: not known) and the numbers of the messages that a part is."""
    chat, ids = published.data.get("chat"), published.data.get("ids")
    many = ids if isinstance(ids, list) and ids else [message_id(published.remote_id)]
    return chat if isinstance(chat, int) else None, many


def message_id(remote_id: str) -> int:
    """The number of a message; raises PlatformError(INVALID) for what can't be one."""
    if ID.fullmatch(remote_id):
        return int(remote_id)
    raise PlatformError(
        ErrorKind.INVALID,
        f"{remote_id!r} is no number of a message",
        hint="It is the number at the end of the message's address",
    )


def _address(one: int, username: Any, chat: int | None) -> str | None:
    """The permalink; None in private chats and small groups, where there is none."""
    if isinstance(username, str) and USERNAME.fullmatch(username):
        return f"https://t.me/{username}/{one}"
    if chat is not None and str(chat).startswith(SUPERGROUP):
        return f"https://t.me/c/{str(chat).removeprefix(SUPERGROUP)}/{one}"
    return None


def _id(message: Any) -> int | None:
    value = message.get("message_id") if isinstance(message, dict) else None
    number = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return value if number else None
