"""Finding a message whose answer was lost, in its channel, which a bot may read (fact sheet,
section 6).

A message is the one if it has our nonce, or if it is ours, was made after the send, has the same
files and says the same, and if there is only one such. A bot without the Message Content intent
doesn't see what messages say; then one that could be it has to do.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from postsched.domain.outcome import ErrorKind, Published
from postsched.platforms.base import PlatformError, Prepared, Unknown
from postsched.platforms.discord.api import Api, json_of
from postsched.platforms.discord.content import names_of, published, snowflake

CLOCKS_DIFFER = timedelta(seconds=60)
"""Discord's clock may be this much behind ours."""
EPOCH = 1_420_070_400_000
"""Milliseconds since the epoch at which Discord's ids begin."""
PAGE = 50
PAGES = 20
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: by which webhook or bot, under which nonce, in reply to what."""

    prepared: Prepared
    webhook_id: str | None
    bot_id: str | None
    nonce: str | None
    parent: str | None


async def find(
    api: Api, channel: str, wanted: Wanted, since: datetime, facts: Mapping[str, Any]
) -> Published | Unknown | None:
    """The step among the channel's messages since then (UTC), None if it is surely not there."""
    rows = await _since(api, channel, since - CLOCKS_DIFFER)
    if rows is None:
        return Unknown("the channel has too many messages since to look at all of them")
    ours = [row for row in rows if _is_ours(row, wanted)]
    same = [row for row in ours if wanted.nonce and str(row.get("nonce")) == wanted.nonce]
    same = same or [row for row in ours if _says_the_same(row, wanted.prepared)]
    same = same or [row for row in ours if _may_be(row, wanted.prepared)]
    if len(same) > 1:
        return Unknown("the channel has several messages that could be it")
    return published(same[0], facts) if same else None


async def _since(api: Api, channel: str, floor: datetime) -> list[Row] | None:
    """The channel's messages since then; None if there are too many."""
    after = max(0, int(floor.timestamp() * 1000) - EPOCH) << 22
    rows: list[Row] = []
    for _ in range(PAGES):
        params = {"after": str(after), "limit": str(PAGE)}
        page = json_of(await api.bot("GET", f"/channels/{channel}/messages", params=params))
        if not isinstance(page, list) or not all(snowflake(row, "id") for row in page):
            raise PlatformError(ErrorKind.TRANSIENT, "Discord's list of messages can't be read")
        rows += page
        if len(page) < PAGE:
            return rows
        after = max(int(row["id"]) for row in page)
    return None


def _is_ours(row: Row, wanted: Wanted) -> bool:
    if row["id"] in wanted.prepared.others:
        return False
    if wanted.webhook_id is not None:
        return snowflake(row, "webhook_id") == wanted.webhook_id
    reference = snowflake(row.get("message_reference"), "message_id")
    author = snowflake(row.get("author"), "id")
    return not row.get("webhook_id") and author == wanted.bot_id and reference == wanted.parent


def _says_the_same(row: Row, prepared: Prepared) -> bool:
    body = prepared.data["payload"]
    text = _normal(str(row.get("content") or ""))
    return text == _normal(str(body.get("content") or "")) and names_of(row) == names_of(body)


def _may_be(row: Row, prepared: Prepared) -> bool:
    """Whether what it says is hidden from the bot, and its files are the same or hidden too."""
    body = prepared.data["payload"]
    return not row.get("content") and names_of(row) in ([], names_of(body))


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
