"""Finding a post whose answer was lost, among the account's own statuses.

A status is the one if it was made after the send, replies to the same post, has as many media and
says the same, and if there is only one such. Where that can't be told, nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from postsched.domain.outcome import ErrorKind, Published
from postsched.platforms.base import PlatformError, Prepared, Unknown
from postsched.platforms.mastodon.api import Api, json_of, judge, published
from postsched.platforms.mastodon.plaintext import may_show, same_text, shows

CLOCKS_DIFFER = timedelta(seconds=60)
"""A server's clock may be this much behind ours."""
PAGE = 40
PAGES = 10
"""Requests for one question: as many statuses as a server lets one write in five minutes."""
SOURCES = 40
"""Statuses whose text is asked for, because it can't be told from how they are shown."""
Row = Mapping[str, Any]


async def find(
    api: Api, account_id: str, prepared: Prepared, since: datetime
) -> Published | Unknown | None:
    """The step among what the account has posted since (UTC), None if it is surely not there."""
    rows = await _since(api, account_id, since - CLOCKS_DIFFER)
    if rows is None:
        return Unknown("the account has posted too much since to look at all of it")
    parent = prepared.parent.remote_id if prepared.parent else None
    rows = [row for row in rows if _has_shape(row, parent, len(prepared.data.get("media_ids", [])))]
    texts = _texts(prepared.data)
    alike = [row for row in rows if any(shows(str(row.get("content")), text) for text in texts)]
    if not alike:
        asked = [r for r in rows if any(may_show(str(r.get("content")), text) for text in texts)]
        if len(asked) > SOURCES:
            return Unknown("the account has posted too much that is like it")
        alike = [row for row in asked if await _source_is(api, row, texts)]
    if len(alike) > 1:
        return Unknown("the account has several posts that could be it")
    return published(alike[0]) if alike else None


async def _since(api: Api, account_id: str, floor: datetime) -> list[Row] | None:
    """The account's own statuses since then, newest first; None if there are too many."""
    rows: list[Row] = []
    params = {"limit": str(PAGE), "exclude_reblogs": "true"}
    for _ in range(PAGES):
        page = await api.get(f"/api/v1/accounts/{account_id}/statuses", **params)
        if not isinstance(page, list) or not all(isinstance(row, dict) for row in page):
            raise PlatformError(ErrorKind.TRANSIENT, "the server's list of posts can't be read")
        rows += [row for row in page if _created(row) >= floor]
        if not page or _created(page[-1]) < floor:
            return rows
        params["max_id"] = str(page[-1].get("id"))
    return None


def _created(row: Row) -> datetime:
    try:
        moment = datetime.fromisoformat(str(row.get("created_at")))
    except ValueError as error:
        raise PlatformError(
            ErrorKind.TRANSIENT, "the server's list of posts can't be read"
        ) from error
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def _has_shape(row: Row, parent: str | None, media: int) -> bool:
    reply_to = row.get("in_reply_to_id")
    return (
        not row.get("reblog")
        and (None if reply_to is None else str(reply_to)) == parent
        and len(row.get("media_attachments") or []) == media
    )


def _texts(body: Mapping[str, Any]) -> list[str]:
    """The text as it was sent; where there is only a warning, Mastodon makes that the text."""
    text = str(body.get("status") or "")
    return [text] if text.strip() else [text, str(body.get("spoiler_text") or "")]


async def _source_is(api: Api, row: Row, texts: list[str]) -> bool:
    response = await api.call("GET", f"/api/v1/statuses/{row.get('id')}/source")
    if response.status_code in (404, 405):  # deleted just now, or a server that keeps no source
        return False
    judge(response)
    source = json_of(response)
    if not isinstance(source, dict) or not isinstance(source.get("text"), str):
        raise PlatformError(ErrorKind.TRANSIENT, "the text of a post can't be read")
    return any(same_text(source["text"], text) for text in texts)
