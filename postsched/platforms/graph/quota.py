"""The quota of posts in any 24 hours, which Meta tells when asked (fact sheets, section 7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from postsched.domain.outcome import ErrorKind, Limit
from postsched.domain.quota import Counts, Quota
from postsched.platforms.base import PlatformError, Prepared
from postsched.platforms.graph.api import Graph, json_of
from postsched.platforms.graph.refusals import is_refusal

DAY = timedelta(days=1)
ROLLING = 3600.0
"""Seconds until a used-up quota is looked at again: it opens bit by bit."""


async def require_quota(
    graph: Graph, path: str, used: str, config: str, now: datetime, what: Counts = Counts.POSTS
) -> dict[str, Any]:
    """What the network says of the posts of 24 hours, as plain JSON for `left_after`, empty where
    it can't be asked for: then the publishing request tells. `used` and `config` are the members
    that tell it, `what` is what they count, `now` the instant (UTC).

    Raises PlatformError(RATE_LIMIT) if they are used up.
    """
    response = await graph.get(path, fields=f"{used},{config}")
    if not is_refusal(response):
        answer = json_of(response)
        return _check(answer if isinstance(answer, dict) else {}, used, config, now, what)
    if (refusal := graph.read(response)).is_login or refusal.is_rate:
        raise refusal.error()
    return {}


def left_after(prepared: Prepared) -> tuple[Limit, ...]:
    """What is left once this is out, as far as the network said when it was prepared."""
    quota = _known(prepared)
    if quota is None or prepared.now is None:
        return ()
    return (_limit(quota, max(0, quota["total"] - quota["used"] - 1), prepared.now),)


def used_up(refusal: PlatformError, prepared: Prepared) -> PlatformError:
    """The refusal for posts that are used up, with the number that belongs to it."""
    if prepared.now is None:
        return refusal
    quota = _known(prepared) or {"what": Counts.POSTS.value, "total": None}
    return PlatformError(
        refusal.problem.kind, refusal.problem.message, http_status=refusal.problem.http_status,
        after=refusal.after, limits=(_limit(quota, 0, prepared.now),),
    )  # fmt: skip


def _check(
    answer: Mapping[str, Any], used: str, config: str, now: datetime, what: Counts
) -> dict[str, Any]:
    """What can't be read is no reason to wait."""
    rows = answer.get("data")
    row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    limits = row.get(config)
    total = limits.get("quota_total") if isinstance(limits, dict) else None
    count = row.get(used)
    if not isinstance(total, int) or not isinstance(count, int):
        return {}
    quota = {"what": what.value, "used": count, "total": total}
    if count < total:
        return quota
    raise PlatformError(
        ErrorKind.RATE_LIMIT,
        f"{count} of the {total} {what} that the network takes in 24 hours are used up",
        after=ROLLING,
        limits=(_limit(quota, 0, now),),
    )


def _known(prepared: Prepared) -> dict[str, Any] | None:
    quota = prepared.data.get("quota")
    return quota if isinstance(quota, dict) and quota else None


def _limit(quota: Mapping[str, Any], remaining: int, now: datetime) -> Limit:
    """It holds for as long as it is not asked for again: others may post by this account, too."""
    name = Quota(0, DAY, Counts(quota["what"])).name
    return Limit(name, remaining, now + timedelta(seconds=ROLLING), quota["total"])
