"""Finding a post whose answer was lost, among the posts of an organization.

A post is the one if it was made after the send, says the same and shows the same media, and if
there is only one such. Where that can't be told, nothing is guessed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from postsched.domain.outcome import ErrorKind, Published
from postsched.platforms.base import PlatformError, Prepared, Unknown
from postsched.platforms.linkedin.api import Api
from postsched.platforms.linkedin.author import posts_of
from postsched.platforms.linkedin.duplicate import CLOCKS_DIFFER
from postsched.platforms.linkedin.refusal import json_object, judge
from postsched.platforms.linkedin.urn import of_post, permalink

COUNTS = (20, 100)
"""How many of the newest posts are asked for, first and at the most."""
Row = Mapping[str, Any]


async def find(api: Api, prepared: Prepared, since: datetime) -> Published | Unknown | None:
    """The post among what its author has posted since (UTC), None if it is surely not there."""
    wanted: Row = json.loads(prepared.data["body"])
    rows = await _since(api, str(wanted["author"]), since - CLOCKS_DIFFER)
    if rows is None:
        return Unknown("the page has posted too much since to look at all of it")
    texts = {wanted["commentary"], prepared.data.get("text", wanted["commentary"])}
    alike = [row for row in rows if _is_it(row, wanted, texts, anew=prepared.anew)]
    others = [urn for row in alike if (urn := of_post(str(row.get("id"))))]
    if len(others) < len(alike):
        raise _unreadable()
    candidates = [urn for urn in others if urn not in prepared.others]
    if len(candidates) > 1:
        return Unknown("the page has several posts that could be it")
    return Published(candidates[0], permalink(candidates[0])) if candidates else None


async def _since(api: Api, author: str, floor: datetime) -> list[Row] | None:
    """The author's posts since then, newest first; None if there are too many."""
    for count in COUNTS:
        response = await api.get(posts_of(author, count), "FINDER")
        judge(response, api.now)
        rows = json_object(response).get("elements")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise _unreadable()
        young = [row for row in rows if _made_at(row) >= floor]
        if len(rows) < count or len(young) < len(rows):
            return young
    return None


def _is_it(row: Row, wanted: Row, texts: set[str], *, anew: bool) -> bool:
    """`anew`: its media have other names by now, so their number has to do."""
    return (
        row.get("commentary") in texts
        and row.get("lifecycleState", "PUBLISHED") == "PUBLISHED"
        and row.get("author", wanted["author"]) == wanted["author"]
        and ("content" not in row or _same_media(_media(row), _media(wanted), anew=anew))
    )


def _same_media(there: list[str], wanted: list[str], *, anew: bool) -> bool:
    return len(there) == len(wanted) if anew else there == wanted


def _media(post: Row) -> list[str]:
    """The URNs of the media that a post shows."""
    content = post.get("content")
    if not isinstance(content, dict):
        return []
    one, many = content.get("media"), content.get("multiImage")
    images = many.get("images") if isinstance(many, dict) else None
    shown = images if isinstance(images, list) else [one] if one else []
    return [str(medium.get("id")) for medium in shown if isinstance(medium, dict)]


def _made_at(row: Row) -> datetime:
    millis = row.get("createdAt", row.get("publishedAt"))
    try:
        return datetime.fromtimestamp(float(millis) / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise _unreadable() from error


def _unreadable() -> PlatformError:
    return PlatformError(ErrorKind.TRANSIENT, "LinkedIn's list of posts can't be read")
