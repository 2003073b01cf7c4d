"""Lanes: the waiting deliveries of one account and priority.

Claims go lane by lane, so that an account with a long backlog, a paused or a refused one never
stands in the way of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Connection,
    text,
)

from postsched.domain.delivery import (
    DeliveryStatus,
)
from postsched.store.columns import Instant

S = DeliveryStatus


@dataclass(frozen=True, slots=True)
class Lane:
    """The waiting deliveries of one account and priority; `next_at` of the first."""

    account_id: int
    platform: str
    priority: int
    next_at: datetime


OPEN = """accounts.paused = 0 AND accounts.state <> 'login'
    AND NOT EXISTS (SELECT 1 FROM meta WHERE name = 'paused')"""
"""An account that anything may be sent to."""


FREE_OF_D = "d.next_at IS NOT NULL AND d.paused = 0 AND d.claim IS NULL"


LANES = text(
    f"""
    WITH RECURSIVE lanes (account_id, platform, priority) AS (
        SELECT id, platform,
            (SELECT max(d.priority) FROM deliveries d
             WHERE d.account_id = accounts.id AND {FREE_OF_D})
        FROM accounts WHERE {OPEN}
        UNION ALL
        SELECT l.account_id, l.platform,
            (SELECT max(d.priority) FROM deliveries d
             WHERE d.account_id = l.account_id AND d.priority < l.priority AND {FREE_OF_D})
        FROM lanes l WHERE l.priority IS NOT NULL
    )
    SELECT l.account_id, l.platform, l.priority,
        (SELECT min(d.next_at) FROM deliveries d
         WHERE d.account_id = l.account_id AND d.priority = l.priority AND {FREE_OF_D}) AS next_at
    FROM lanes l WHERE l.priority IS NOT NULL
    """  # noqa: S608 - made of constants only
).columns(next_at=Instant)


def waiting_lanes(connection: Connection) -> list[Lane]:
    """The lanes that hold anything, highest priority first, then by what is due first."""
    found = [Lane(*row) for row in connection.execute(LANES)]
    return sorted(found, key=lambda lane: (-lane.priority, lane.next_at))


def share_out(due: Sequence[Lane], hands: Mapping[str, int], total: int) -> dict[Lane, int]:
    """How many to claim from each lane: every lane of a priority in turn, one at a time, while
    its platform and the total allow."""
    left, shares = dict(hands), dict.fromkeys(due, 0)
    for priority in sorted({lane.priority for lane in due}, reverse=True):
        turn = [lane for lane in due if lane.priority == priority]
        while turn and total > 0:
            turn = [lane for lane in turn if left.get(lane.platform, 0) > 0]
            for lane in turn[:total]:
                if left[lane.platform] > 0:
                    left[lane.platform] -= 1
                    total -= 1
                    shares[lane] += 1
    return {lane: share for lane, share in shares.items() if share}
