"""The first comment on a post of Instagram or Facebook (fact sheets, sections 1 and 6).

Nothing keeps it from being made twice, so where an answer was lost the comments are read.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from postsched.domain.outcome import ErrorKind, Published
from postsched.platforms.base import PlatformError, Prepared, Unknown
from postsched.platforms.graph.api import Graph, id_in, node, rows_in
from postsched.platforms.graph.lookup import made_at
from postsched.platforms.graph.refusals import is_refusal

MARGIN = timedelta(seconds=120)
"""How far before the first try a comment may have been made by the network's clock."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What the members of a comment are called. An author may be an object with an id."""

    text: str = "text"
    at: str = "timestamp"
    author: str = "username"


async def publish(graph: Graph, prepared: Prepared) -> Published:
    """Comment on the post."""
    form = {"message": str(prepared.data["comment"])}
    response = await graph.post(f"{_post(prepared)}/comments", form)
    if is_refusal(response) and graph.read(response).is_permission:
        raise PlatformError(
            ErrorKind.PERMANENT, graph.read(response).words, http_status=response.status_code,
            hint="The login may not comment: log in again with every permission ticked, then retry",
        )  # fmt: skip
    return Published(id_in(response, graph.object(response)), _link(prepared))


async def find(
    graph: Graph, prepared: Prepared, author: object, since: datetime, fields: Fields
) -> Published | Unknown | None:
    """The comment among those on the post, None if it is not there. `author` is us, as the network
    calls us there."""
    wanted = f"id,{fields.text},{fields.at},{fields.author}"
    response = await graph.get(f"{_post(prepared)}/comments", fields=wanted)
    if is_refusal(response) and graph.read(response).is_permission:
        words = graph.read(response).words
        return Unknown(f"the login may not read the comments: {words}", final=True)
    answer = graph.object(response)
    rows = rows_in(answer, "comments")
    alike = [row for row in rows if _is_it(row, prepared, author, since - MARGIN, fields)]
    if len(alike) > 1:
        return Unknown("there are several comments that could be it")
    if not alike and isinstance(answer.get("paging"), dict) and answer["paging"].get("next"):
        return Unknown("there are too many comments to look at all of them")
    return Published(node(str(alike[0].get("id"))), _link(prepared)) if alike else None


def _is_it(
    row: Mapping[str, Any], prepared: Prepared, author: object, floor: datetime, fields: Fields
) -> bool:
    by = row.get(fields.author, author)
    return (
        _normal(str(row.get(fields.text) or "")) == _normal(str(prepared.data["comment"]))
        and (by.get("id", author) if isinstance(by, dict) else by) == author
        and made_at(row, floor, fields.at) >= floor
        and str(row.get("id")) not in prepared.others
    )


def _link(prepared: Prepared) -> str | None:
    return prepared.root.url if prepared.root else None


def _post(prepared: Prepared) -> str:
    return node(prepared.root.remote_id if prepared.root else "")


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
