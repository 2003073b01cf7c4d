"""Pages: a cursor says behind which row the next one begins. Clients hand it back as it is."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request

from postsched.web.answers import Json
from postsched.web.problems import invalid

USUAL, MOST = 50, 200
BOUND = 2**63
Limit = Annotated[int, Query(ge=1, le=MOST, description="How many, at the most")]
Cursor = Annotated[
    str | None, Query(max_length=200, description="`next` of the page before: what follows it")
]


def written(*place: int) -> str:
    """The cursor of a place."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def place_of(cursor: str | None, members: int) -> list[int] | None:
    """The place of a cursor of so many numbers, None for the beginning. Raises Problem."""
    if cursor is None:
        return None
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        place = None
    whole = isinstance(place, list) and len(place) == members
    if not whole or not all(type(n) is int and 0 <= n < BOUND for n in place):
        raise invalid(
            "cursor: that is none of ours", "Give `next` of a page as it is, or none", "cursor"
        )
    return list(place)


def page(request: Request, items: Sequence[Any], cursor: str | None) -> Json:
    """A page as an answer; its Link (RFC 8288) leads to the next one."""
    headers = {}
    if cursor is not None:
        asked = [(n, v) for n, v in request.query_params.multi_items() if n != "cursor"]
        query = urlencode([*asked, ("cursor", cursor)])
        headers = {"Link": f'<{request.url.path}?{query}>; rel="next"'}
    return Json({"items": list(items), "next": cursor}, headers=headers)
