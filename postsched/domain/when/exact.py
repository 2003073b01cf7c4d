"""Times written in full, as programs write them: a date, a time of day, perhaps an offset.

The one form of WHEN that stands in files of a million rows, read without a grammar.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from postsched.domain.zones import resolve

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_EXACT = re.compile(
    r"(?:19[7-9]|[2-8][0-9]{2})[0-9]-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-9]{2}"
    r"(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?"
)


def exact(text: str, zone: ZoneInfo) -> tuple[datetime, str] | None:
    """The instant (UTC) that such a text means for someone in `zone`, and how a schedule notes it;
    None for all other texts, which may be times all the same."""
    if not _EXACT.fullmatch(text):
        return None
    try:
        named = datetime.fromisoformat(text)
    except ValueError:
        return None
    if named.tzinfo is None:
        return resolve(named, zone)[0], named.isoformat()
    instant = named.astimezone(UTC)
    return instant, instant.astimezone(zone).isoformat()
