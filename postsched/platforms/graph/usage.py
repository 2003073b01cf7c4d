"""How much of Meta's limits is used (fact sheets, sections 5 and 7).

`X-App-Usage` has percentages; `X-Business-Use-Case-Usage` has a list for each account, with the
minutes until calls are taken again. Posts have a quota of their own, which is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import PlatformError

if TYPE_CHECKING:
    import httpx

MINUTE = 60.0
ROLLING = 3600.0
"""Seconds until a used-up quota is looked at again: it is for any 24 hours, and opens bit by
bit."""


def wait_of(response: httpx.Response) -> float | None:
    """Seconds until calls are taken again, None where the headers don't say."""
    minutes = [
        float(entry["estimated_time_to_regain_access"])
        for entry in _entries(response.headers.get("x-business-use-case-usage", ""))
        if isinstance(entry.get("estimated_time_to_regain_access"), int | float)
    ]
    longest = max(minutes, default=0.0)
    return longest * MINUTE if longest > 0 else None


def check_quota(answer: Mapping[str, Any], used: str, config: str) -> None:
    """Raise PlatformError(RATE_LIMIT) if the quota of posts that an answer tells is used up; `used`
    and `config` are the members that tell it. What can't be read is no reason to wait."""
    rows = answer.get("data")
    row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    limits = row.get(config)
    total = limits.get("quota_total") if isinstance(limits, dict) else None
    count = row.get(used)
    if not isinstance(total, int) or not isinstance(count, int) or count < total:
        return
    raise PlatformError(
        ErrorKind.RATE_LIMIT,
        f"{count} of the {total} posts that the network takes in 24 hours are used up",
        after=ROLLING,
    )


def _entries(header: str) -> Iterator[Mapping[str, Any]]:
    try:
        usage = json.loads(header) if header else {}
    except ValueError:
        return
    for rows in usage.values() if isinstance(usage, dict) else ():
        yield from (row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()
