"""The quota of posts in any 24 hours, which Meta tells when asked (fact sheets, section 7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from postsched.domain.outcome import ErrorKind, Limit
from postsched.domain.quota import Counts, Quota
from postsched.platforms.base import PlatformError
from postsched.platforms.graph.api import Graph, json_of
from postsched.platforms.graph.refusals import is_refusal

DAY = timedelta(days=1)
ROLLING = 3600.0
"""Seconds until a used-up quota is looked at again: it opens bit by bit."""


async def require_quota(
    graph: Graph, path: str, used: str, config: str, now: datetime, what: Counts = Counts.POSTS
) -> None:
    """Raise PlatformError(RATE_LIMIT) if the posts of 24 hours are used up; `used` and `config` are
    the members that tell it, `what` is what they count, `now` the instant (UTC). Where it can't be
    asked for, the publishing request tells."""
    response = await graph.get(path, fields=f"{used},{config}")
    if not is_refusal(response):
        answer = json_of(response)
        _check(answer if isinstance(answer, dict) else {}, used, config, now, what)
    elif (refusal := graph.read(response)).is_login or refusal.is_rate:
        raise refusal.error()


def _check(answer: Mapping[str, Any], used: str, config: str, now: datetime, what: Counts) -> None:
    """What can't be read is no reason to wait."""
    rows = answer.get("data")
    row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    limits = row.get(config)
    total = limits.get("quota_total") if isinstance(limits, dict) else None
    count = row.get(used)
    if not isinstance(total, int) or not isinstance(count, int) or count < total:
        return
    name, reset = Quota(total, DAY, what).name, now + timedelta(seconds=ROLLING)
    raise PlatformError(
        ErrorKind.RATE_LIMIT,
        f"{count} of the {total} {what} that the network takes in 24 hours are used up",
        after=ROLLING,
        limits=(Limit(name, 0, reset, total),),
    )
