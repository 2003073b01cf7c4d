"""The first comment on an Instagram post (fact sheet, sections 1 and 6).

Nothing keeps it from being made twice, so where an answer was lost the comments are read.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from postsched.domain.outcome import ErrorKind, Published
from postsched.platforms.base import PlatformError, Prepared, Unknown
from postsched.platforms.graph.api import Graph, node, unreadable
from postsched.platforms.graph.refusals import is_refusal

MARGIN = timedelta(seconds=120)
"""How far before the first try a comment may have been made by Instagram's clock."""


async def publish(graph: Graph, prepared: Prepared) -> Published:
    """Comment on the post."""
    form = {"message": str(prepared.data["comment"])}
    response = await graph.post(f"{_post(prepared)}/comments", form)
    if is_refusal(response) and graph.read(response).is_permission:
        raise PlatformError(
            ErrorKind.PERMANENT, graph.read(response).words, http_status=response.status_code,
            hint="The login may not comment: log in again with every permission ticked, then retry",
        )  # fmt: skip
    made = graph.object(response).get("id")
    if not isinstance(made, str | int) or isinstance(made, bool) or not str(made):
        raise unreadable(response)
    return Published(str(made), prepared.root.url if prepared.root else None)


async def find(
    graph: Graph, prepared: Prepared, username: object, since: datetime
) -> Published | Unknown | None:
    """The comment among those on the post, None if it is not there."""
    fields = "id,text,timestamp,username"
    answer = graph.object(await graph.get(f"{_post(prepared)}/comments", fields=fields))
    rows = answer.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise PlatformError(ErrorKind.TRANSIENT, "the network's list of comments can't be read")
    alike = [row for row in rows if _is_it(row, prepared, username, since - MARGIN)]
    if len(alike) > 1:
        return Unknown("there are several comments that could be it")
    if not alike and isinstance(answer.get("paging"), dict) and answer["paging"].get("next"):
        return Unknown("there are too many comments to look at all of them")
    url = prepared.root.url if prepared.root else None
    return Published(str(alike[0].get("id")), url) if alike else None


def _is_it(row: Mapping[str, Any], prepared: Prepared, username: object, floor: datetime) -> bool:
    try:
        moment = datetime.fromisoformat(str(row.get("timestamp")))
    except ValueError:
        moment = floor
    return (
        _normal(str(row.get("text") or "")) == _normal(str(prepared.data["comment"]))
        and row.get("username", username) == username
        and moment.replace(tzinfo=moment.tzinfo or UTC) >= floor
        and str(row.get("id")) not in prepared.others
    )


def _post(prepared: Prepared) -> str:
    return node(prepared.root.remote_id if prepared.root else "")


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
