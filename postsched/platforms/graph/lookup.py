"""A post that is out, found among the account's own (fact sheets, section 6).

Threads takes the `#` from texts, so texts are compared without it. A container that is published
is out for certain; which post it became is only known if just one fits.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from postsched.domain.outcome import Published
from postsched.platforms.base import PlatformError, Prepared, Unknown
from postsched.platforms.graph.api import Graph, node, rows_in
from postsched.platforms.graph.containers import Fields

MARGIN = timedelta(seconds=120)
"""How far before the first try a post may have been made by Threads' clock."""
PAGE = 25
PATIENCE = timedelta(seconds=60)
"""For how long a post that is out is given to show up in the list."""
PERMALINK_TIME = 5.0
"""Seconds to ask for a permalink: it is nice to have."""
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a network calls things. `publish` is the path that makes a container visible, `posts`
    and `replies` list the account's own, of which `text` is the member with the text; `state` are
    the members of a container, and reasons that begin like one in `hopeless` are final. `since`
    says whether lists can be asked for from a time on."""

    publish: str
    posts: str
    replies: str
    text: str = "text"
    state: Fields = field(default_factory=Fields)
    hopeless: tuple[str, ...] = ()
    since: bool = True


async def adopt(
    graph: Graph, dialect: Dialect, prepared: Prepared, since: datetime
) -> Published | Unknown:
    """The post that a published container became, first sent at `since` (UTC). When it does not
    show after a while, it is out under an id nobody knows."""
    rows = await candidates(graph, dialect, prepared, since)
    if rows is not None and len(rows) == 1:
        return of(rows[0])
    if prepared.now is None or prepared.now - since < PATIENCE:
        return Unknown("it is out, but it can't be told yet which post it is")
    container = prepared.data["container"]
    return Published("", evidence=f"container {container} is published, its post is not known")


async def candidates(
    graph: Graph, dialect: Dialect, prepared: Prepared, since: datetime
) -> list[Row] | None:
    """The posts that it could be, None if there are too many to look at."""
    path = dialect.replies if prepared.data.get("reply_to") else dialect.posts
    floor = since - MARGIN
    fields = f"id,media_type,permalink,shortcode,{dialect.text},timestamp"
    start = {"since": str(int(floor.timestamp()))} if dialect.since else {}
    response = await graph.get(path, fields=fields, limit=str(PAGE), **start)
    rows = rows_in(graph.object(response), "posts")
    wanted = _normal(str(prepared.data.get("text") or ""))
    alike = [
        row for row in rows
        if _normal(str(row.get(dialect.text) or "")) == wanted
        and made_at(row, floor) >= floor
        and str(row.get("id")) not in prepared.others
    ]  # fmt: skip
    all_seen = len(rows) < PAGE or any(made_at(row, floor) < floor for row in rows)
    return alike if alike or all_seen else None


def of(row: Row) -> Published:
    """A post of the list as a part that is out."""
    link = row.get("permalink")
    return Published(node(str(row.get("id"))), link if isinstance(link, str) else None)


async def permalink(graph: Graph, remote_id: str) -> str | None:
    """Where people see a post, None if that can't be had: its being out is what counts."""
    import httpx

    try:
        async with asyncio.timeout(PERMALINK_TIME):
            response = await graph.get(node(remote_id), fields="id,permalink")
            link = graph.object(response).get("permalink")
    except (PlatformError, httpx.HTTPError, TimeoutError):
        return None
    return link if isinstance(link, str) and link.startswith(("https://", "http://")) else None


def made_at(row: Row, unknown: datetime, field: str = "timestamp") -> datetime:
    """When something in a list was made (UTC), by that member; `unknown` where it doesn't say."""
    try:
        moment = datetime.fromisoformat(str(row.get(field)))
    except ValueError:
        return unknown
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).replace("#", "").split())
