"""How answers are described, so that the schema names each that can come."""

from __future__ import annotations

from typing import Any

WORDS = {
    304: "As it was: the ETag is that of If-None-Match",
    401: "Nobody said who asks, or nobody is known by that",
    403: "Whoever asks may not do that",
    404: "There is no such thing",
    408: "The body came too slowly",
    409: "Its state does not allow that",
    412: "It was changed by somebody else meanwhile: the ETag is not that of If-Match",
    413: "That is too large",
    415: "The body is of a type that is not taken",
    421: "Not this host: it answers to names of its own address only",
    422: "That can't be taken: the parameters, or the body",
    428: "If-Match is missing: it says what is to be changed",
    429: "Too many requests; Retry-After says when to come again",
    503: "The database can't be used, or is busy",
}
ALWAYS = (401, 403, 421, 422, 429, 503)
"""What any request may come to."""
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
TEXT = {"schema": {"type": "string"}}
ETAG = {"ETag": {"description": "For If-Match and If-None-Match", **TEXT}}
Described = dict[int | str, dict[str, Any]]
TAGGED: Described = {200: {"headers": ETAG}}
CREATED: Described = {
    201: {"headers": {**ETAG, "Location": {"description": "Where it is", **TEXT}}}
}
LINKED: Described = {200: {"headers": {"Link": {"description": "The next page, if any", **TEXT}}}}


def described(*statuses: int) -> Described:
    """The answers of a route that are no success: those, and what any request may come to."""
    return {status: _one(status) for status in sorted({*statuses, *ALWAYS})}


def _one(status: int) -> dict[str, Any]:
    if status == 304:
        return {"description": WORDS[status], "headers": ETAG}
    return {"description": WORDS[status], "content": PROBLEM}
