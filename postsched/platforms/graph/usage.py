"""How much of Meta's limits is used (fact sheets, sections 5 and 7).

`X-App-Usage` has percentages; `X-Business-Use-Case-Usage` has a list for each account, with the
minutes until calls are taken again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

MINUTE = 60.0


def wait_of(response: httpx.Response) -> float | None:
    """Seconds until calls are taken again, None where the headers don't say."""
    minutes = [
        float(entry["estimated_time_to_regain_access"])
        for entry in _entries(response.headers.get("x-business-use-case-usage", ""))
        if isinstance(entry.get("estimated_time_to_regain_access"), int | float)
    ]
    longest = max(minutes, default=0.0)
    return longest * MINUTE if longest > 0 else None


def _entries(header: str) -> Iterator[Mapping[str, Any]]:
    try:
        usage = json.loads(header) if header else {}
    except ValueError:
        return
    for rows in usage.values() if isinstance(usage, dict) else ():
        yield from (row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()
