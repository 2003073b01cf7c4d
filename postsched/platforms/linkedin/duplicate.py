"""Refusals of a duplicate: what they say of a post whose answer was lost.

LinkedIn takes no key, but refuses a post that equals one it has, and names that one. When the same
is sent again within minutes, the refusal is the answer that was lost. It is not where the post it
names is older: then somebody wanted the same text twice, and this one is not out (fact sheet,
section 6, traps 1 and 2).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from postsched.domain.outcome import ErrorKind, Published
from postsched.platforms.base import PlatformError, Prepared
from postsched.platforms.linkedin.refusal import read
from postsched.platforms.linkedin.urn import found_in, made_at, permalink

if TYPE_CHECKING:
    import httpx

CODE = "DUPLICATE_POST"
WORDS = re.compile(r"\bcontent is a duplicate\b", re.I)
CLOCKS_DIFFER = timedelta(seconds=60)
"""LinkedIn's clock may be this much behind ours."""
CHANGE_IT = (
    "LinkedIn takes the same text only once in a while, also after its post was deleted: change a "
    "word"
)


def is_duplicate(response: httpx.Response) -> bool:
    """Whether an answer refuses a post as a duplicate."""
    if response.status_code not in (400, 409, 422):
        return False
    said = read(response)
    return CODE in said.codes or bool(WORDS.search(said.message))


def conflict(response: httpx.Response) -> PlatformError:
    """What a 409 means: the same was perhaps being written. Sent again it is either taken, or
    refused as a duplicate, and that settles it."""
    return PlatformError(
        ErrorKind.TRANSIENT, read(response).words, http_status=response.status_code, sent=True
    )


def settle(response: httpx.Response, prepared: Prepared) -> Published:
    """The post that the refusal is about, where it can only be this one; else PlatformError."""
    urn = found_in(read(response).message)
    if prepared.since is None:
        raise _first_try(response, prepared, urn)
    if urn is None:  # it is out, but nobody says where
        return Published("", evidence="LinkedIn has it already, but does not say which it is")
    if urn in prepared.others or _is_older(urn, prepared.since):
        raise _refused(response, urn)
    if prepared.removed:
        raise _ghost(response, urn)
    return Published(urn, permalink(urn))


def _first_try(response: httpx.Response, prepared: Prepared, urn: str | None) -> PlatformError:
    """Nothing of this post is out, as far as is known: so LinkedIn has another one. Only where its
    posts can be read, and a young one is named, is it looked at: the answer to an earlier try may
    have been lost, and LinkedIn have shown the post late. Of a person's even one made a moment ago
    proves nothing: after a deletion by hand it is a ghost (trap 2), and nothing is out."""
    at = prepared.data.get("looked_up_from")
    if urn and isinstance(at, str) and not _is_older(urn, datetime.fromisoformat(at)):
        return _refused(response, urn, sent=True)
    return _refused(response, urn)


def _is_older(urn: str, than: datetime) -> bool:
    made = made_at(urn)
    return made is None or made < than - CLOCKS_DIFFER


def _refused(response: httpx.Response, urn: str | None, *, sent: bool = False) -> PlatformError:
    return PlatformError(
        ErrorKind.DUPLICATE,
        f"LinkedIn has this post already: {permalink(urn) if urn else 'it does not say which'}",
        http_status=response.status_code,
        hint=CHANGE_IT,
        sent=sent,
    )


def _ghost(response: httpx.Response, urn: str) -> PlatformError:
    return PlatformError(
        ErrorKind.UNCONFIRMED,
        f"LinkedIn says that the post is {permalink(urn)}, but an equal one was deleted lately, "
        "and then it names posts that don't exist",
        http_status=response.status_code,
        hint="Look whether it is there, then: postsched resolve ID published|absent",
        sent=True,
    )
