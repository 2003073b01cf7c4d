"""URNs, LinkedIn's names for things: `urn:li:share:6844785523593134080`.

The number of a post holds the time when it was made, in milliseconds, above its 22 lowest bits
(fact sheet, section 6).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import PlatformError

POST = re.compile(r"urn:li:(share|ugcPost|activity):([0-9]{1,19})")
"""A post. `activity` is how it is named in feeds; the Posts API itself never says so."""
WEB = "https://www.linkedin.com/feed/update/"


def found_in(text: str) -> str | None:
    """The first URN of a post in a text, None if there is none."""
    found = POST.search(text)
    return found[0] if found else None


def of_post(text: str) -> str | None:
    """The URN of a post that a header gives, as it is or percent-encoded; None if it is none."""
    found = POST.fullmatch(unquote(text.strip()))
    return found[0] if found else None


def to_delete(urn: str) -> str:
    """The URN itself, if the Posts API can delete what it names; else PlatformError(INVALID)."""
    found = POST.fullmatch(urn)
    if found and found[1] != "activity":
        return urn
    raise PlatformError(
        ErrorKind.INVALID,
        f"{urn!r} is no post that can be deleted from here"
        if urn
        else "LinkedIn has not said which post it is",
        hint="Delete it on LinkedIn itself; a post is named like urn:li:share:…",
    )


def made_at(urn: str) -> datetime | None:
    """When a post was made (UTC), by the number in its URN; None if that is no time."""
    found = POST.fullmatch(urn)
    millis = int(found[2]) >> 22 if found else 0
    try:
        return datetime.fromtimestamp(millis / 1000, UTC) if millis else None
    except (OverflowError, OSError, ValueError):
        return None


def permalink(urn: str) -> str:
    """Where people see a post."""
    return f"{WEB}{urn}/"


def in_path(urn: str) -> str:
    """A URN as a part of a path or query: percent-encoded, colons too."""
    return quote(urn, safe="")
