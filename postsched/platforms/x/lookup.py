"""Finding a post whose answer was lost, on the account's own timeline (fact sheet, section 6).

A post is the one if it was made after the send, replies to the same post and says the same. X
refuses equal texts, so of several the earliest is it. Where that can't be told, nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import PlatformError, Prepared, Unknown
from postsched.platforms.x.api import Api, document_of, id_of, parent_of
from postsched.platforms.x.refusals import read
from postsched.platforms.x.wording import may_be, same_text

CLOCKS_DIFFER = timedelta(seconds=60)
"""X's clock may be this much behind ours."""
TRIES_LAST = timedelta(hours=12)
"""For so long after it was prepared, a step may be out from an earlier try."""
PAGE = 20
PAGES = 10
FIRST_ID_TIME = 1288834974657
"""Milliseconds since 1970 of the first time that can be in an id."""
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the API calls a post, which differs between its documents and its practice."""

    parameter: str
    fields: str
    more: Mapping[str, str]


TWEET = Vocabulary(
    "tweet.fields", "created_at,entities,conversation_id,note_tweet,referenced_tweets", {}
)
POST = Vocabulary(
    "post.fields",
    "created_at,entities,conversation_id,note_post",
    {"expansions": "referenced_posts"},
)


async def find(api: Api, user_id: str, prepared: Prepared, since: datetime) -> str | Unknown | None:
    """The id of the step among what the account has posted since it may first have been sent (UTC),
    None if it is not there."""
    parent, floor = parent_of(prepared), _floor(prepared, since)
    try:
        rows = await _since(api, user_id, parent, floor)
    except PlatformError as error:
        if error.problem.http_status not in (402, 403):
            raise
        return Unknown(f"X does not let the app read its posts: {error}", final=True)
    if rows is None:
        return Unknown("the account has posted too much since to look at all of it")
    body = prepared.data["body"]
    text, with_media = str(body.get("text") or ""), "media" in body
    rows = [row for row in rows if id_of(row) not in prepared.others]
    alike = [row for row in rows if same_text(row, text, with_media=with_media)]
    if there := [row for row in alike if _parent(row) == parent]:
        return min((str(id_of(row)) for row in there), key=int)
    unsure = [row for row in rows if may_be(row, text, with_media=with_media)]
    if any(_parent(row) in (parent, "unknown") for row in unsure) or any(
        _parent(row) == "unknown" for row in alike
    ):
        return Unknown("the account has a post that could be it")
    return None


def _floor(prepared: Prepared, since: datetime) -> datetime:
    """The earliest time that the step may have on X: an earlier try of it was not there when X was
    asked, and may be all the same."""
    first = datetime.fromisoformat(prepared.data["at"])
    return (first if first < since < first + TRIES_LAST else since) - CLOCKS_DIFFER


async def _since(api: Api, user_id: str, parent: str | None, floor: datetime) -> list[Row] | None:
    """The account's posts since then, newest first; None if there are too many."""
    start = floor.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    params = {
        "max_results": str(PAGE),
        **({"since_id": parent} if parent else {"start_time": start}),
    }
    rows: list[Row] = []
    words = TWEET
    for _ in range(PAGES):
        page, words = await _page(api, user_id, params, words)
        found = _rows(page)
        rows += [row for row in found if _created(row) >= floor]
        following = page["meta"].get("next_token") if isinstance(page.get("meta"), dict) else None
        if not following or not found or _created(found[-1]) < floor:
            return rows
        params["pagination_token"] = str(following)
    return None


async def _page(
    api: Api, user_id: str, params: Mapping[str, str], words: Vocabulary
) -> tuple[dict[str, Any], Vocabulary]:
    """One page, asked for in the words that the API knows."""
    path = f"/2/users/{user_id}/tweets"
    response = await api.call(
        "GET", path, params={**params, words.parameter: words.fields, **words.more}
    )
    if response.status_code == 400 and words is TWEET:
        refusal = read(response)
        if TWEET.parameter in refusal.signs or TWEET.parameter in refusal.parameters:
            return await _page(api, user_id, params, POST)
    api.judge(response)
    return document_of(response), words


def _rows(page: Mapping[str, Any]) -> list[Row]:
    """The posts on a page; raises PlatformError(TRANSIENT) where that can't be told."""
    rows, meta = page.get("data"), page.get("meta")
    if rows is None and isinstance(meta, dict) and meta.get("result_count") == 0:
        return []
    if not isinstance(rows, list) or not all(isinstance(r, dict) and id_of(r) for r in rows):
        raise PlatformError(ErrorKind.TRANSIENT, "X's list of posts can't be read")
    return rows


def _created(row: Row) -> datetime:
    """When a post was made, as X says; else by its id."""
    try:
        moment = datetime.fromisoformat(str(row.get("created_at")))
        return moment.replace(tzinfo=moment.tzinfo or UTC)
    except ValueError:
        millis = (int(str(id_of(row))) >> 22) + FIRST_ID_TIME
        return datetime.fromtimestamp(millis / 1000, UTC)


def _parent(row: Row) -> str | None:
    """What a post replies to: None for none, "unknown" where X does not say."""
    for name in ("referenced_tweets", "referenced_posts"):
        given = row.get(name)
        for one in given if isinstance(given, list) else []:
            if isinstance(one, dict) and one.get("type") == "replied_to":
                return id_of(one) or "unknown"
    conversation = row.get("conversation_id")
    return None if conversation is None or str(conversation) == id_of(row) else "unknown"
