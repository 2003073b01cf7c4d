"""What a Discord message is made of (fact sheet, sections 3, 4 and 8)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from postsched.domain.capabilities import MediaRules
from postsched.domain.outcome import ErrorKind, Published
from postsched.domain.picture import PictureRules
from postsched.platforms.base import Attachment, Message, PlatformError
from postsched.platforms.carried import content_of
from postsched.platforms.discord.access import SNOWFLAKE
from postsched.platforms.discord.reading import text_of

COUNT = 10
FILE_LIMIT = 10 * 1024 * 1024
ALT_LIMIT = 1024
ROOM = 64 * 1024
"""Bytes of a request that are left for all that is not a file."""
RULES = MediaRules(
    count=COUNT,
    alone=COUNT,
    types={"*/*": FILE_LIMIT},
    alt_limit=ALT_LIMIT,
    mixed=True,
    files=COUNT,
    picture=PictureRules(moving=frozenset({"image/*"})),
    total_bytes=25 * 1024 * 1024 - ROOM,
)
ENDINGS = {"jpeg": "jpg", "mpeg": "mp3", "quicktime": "mov", "svg+xml": "svg", "plain": "txt"}
PLACES = "https://discord.com/channels"


def payload(message: Message) -> dict[str, Any]:
    """The message as Discord takes it. Nobody is notified by what it says."""
    body: dict[str, Any] = {"allowed_mentions": {"parse": []}}
    if text := text_of(message):
        body["content"] = text
    if message.attachments:
        body["attachments"] = [
            {"id": n, "filename": _name(one, message.key, n), **_described(one)}
            for n, one in enumerate(message.attachments)
        ]
    return body


def files(message: Message) -> list[dict[str, str]]:
    """Where the bytes of the files are, and of what type they are."""
    found = []
    for one in message.attachments:
        if one.file is None:
            raise PlatformError(ErrorKind.INVALID, "Discord can't take media by URL")
        kind = one.media.type or "application/octet-stream"
        found.append({"file": str(one.file), "type": kind})
    return found


async def contents(prepared: Mapping[str, Any]) -> dict[str, tuple[str, bytes, str]]:
    """The files themselves, by the fields of the form that have them."""
    names = names_of(prepared["payload"])
    return {
        f"files[{n}]": (name, await content_of(one["file"]), one["type"])
        for n, (name, one) in enumerate(zip(names, prepared["files"], strict=True))
    }


def names_of(body: Mapping[str, Any]) -> list[str]:
    """The names of a message's files."""
    attachments = body.get("attachments")
    found = attachments if isinstance(attachments, list) else []
    return [str(one.get("filename")) for one in found if isinstance(one, dict)]


def published(row: Any, facts: Mapping[str, Any]) -> Published:
    """A message of the API as a part that is out. Raises PlatformError(TRANSIENT) if it is none,
    and something may be out all the same."""
    number = snowflake(row, "id")
    if number is None:
        raise PlatformError(
            ErrorKind.TRANSIENT, "Discord's answer does not say what was posted", sent=True
        )
    channel = snowflake(row, "channel_id") or snowflake(facts, "channel_id")
    guild = snowflake(facts, "guild_id")
    url = f"{PLACES}/{guild}/{channel}/{number}" if guild and channel else None
    return Published(number, url, {"channel_id": channel} if channel else {})


def snowflake(row: Any, name: str) -> str | None:
    """An id of Discord's, None if there is none that can be one."""
    value = row.get(name) if isinstance(row, Mapping) else None
    return value if isinstance(value, str) and SNOWFLAKE.fullmatch(value) else None


def known_id(remote_id: str) -> str:
    """The id of a message, fit for a path; raises PlatformError(INVALID) if it can't be one."""
    if SNOWFLAKE.fullmatch(remote_id):
        return remote_id
    raise PlatformError(
        ErrorKind.INVALID,
        f"{remote_id!r} is no id of a message on Discord",
        hint="It is the number at the end of the message's address",
    )


def _described(one: Attachment) -> dict[str, str]:
    return {"description": one.media.alt} if one.media.alt else {}


def _name(one: Attachment, key: str, n: int) -> str:
    """The name of a file, by which a look-up knows it; never the name on our disk."""
    kind, _, subtype = (one.media.type or "").partition("/")
    ending = ENDINGS.get(subtype, subtype)
    ending = ending if re.fullmatch("[a-z0-9]{1,5}", ending) else _ending(one)
    return f"{kind or 'file'}-{key[:8]}-{n + 1}.{ending}"


def _ending(one: Attachment) -> str:
    """The ending of the file's own name, where its type says none."""
    found: Sequence[str] = re.findall(r"\.([a-z0-9]{1,5})$", (one.media.path or "").lower())
    return found[0] if found else "bin"
