"""Lanes: the waiting deliveries of one account and priority.

Claims go lane by lane, so that an account with a long backlog, a paused or a refused one never
stands in the way of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import (
    Connection,
    text,
)

from postsched.domain.delivery import (
    DeliveryStatus,
)
from postsched.domain.holding import OURS
from postsched.store.columns import Instant
from postsched.store.holds import Wait
from postsched.store.tables import FREE

S = DeliveryStatus


@dataclass(frozen=True, slots=True)
class Lane:
    """The waiting deliveries of one account and priority; `next_at` of the first, but not before
    `held_until`, if the account is held. Of all lanes with the same `trial` one delivery may be
    claimed, and no more until it is settled."""

    account_id: int
    platform: str
    priority: int
    next_at: datetime
    held_until: datetime | None = None
    trial: str | None = None
    asking: bool = False
    """Whether it is of those alone about which the network is to be asked: they need no room."""

    def claimable_at(self, ahead: timedelta) -> datetime:
        """When the first may be claimed, so long ahead; what is held is not sent early."""
        early = self.next_at - ahead
        return early if self.held_until is None else max(early, self.held_until)

    def behind(self, wait: Wait) -> Lane:
        """The lane of an account that is held."""
        over = wait.over
        next_at = self.next_at if over is None else max(self.next_at, over)
        return replace(self, next_at=next_at, held_until=over, trial=wait.trial)


RELEASED = "accounts.paused = 0 AND NOT EXISTS (SELECT 1 FROM meta WHERE name = 'paused')"
"""An account that no person holds."""
OPEN = f"accounts.state <> 'login' AND {RELEASED}"
"""An account that anything may be sent to."""


FREE_OF_D = "d.next_at IS NOT NULL AND d.paused = 0 AND d.claim IS NULL"


LANES_OF_ALL = f"""RECURSIVE lanes (account_id, platform, priority) AS (
        SELECT id, platform,
            (SELECT max(d.priority) FROM deliveries d
             WHERE d.account_id = accounts.id AND {FREE_OF_D})
        FROM accounts WHERE {OPEN}
        UNION ALL
        SELECT l.account_id, l.platform,
            (SELECT max(d.priority) FROM deliveries d
             WHERE d.account_id = l.account_id AND d.priority < l.priority AND {FREE_OF_D})
        FROM lanes l WHERE l.priority IS NOT NULL
    )"""  # noqa: S608 - made of constants only
"""What stands behind WITH where `LANE` is to be selected from."""
LANE = f"""l.account_id, l.platform, l.priority,
        (SELECT min(d.next_at) FROM deliveries d
         WHERE d.account_id = l.account_id AND d.priority = l.priority AND {FREE_OF_D}) AS next_at
    FROM lanes l WHERE l.priority IS NOT NULL"""  # noqa: S608 - made of constants only
LANES = text(f"WITH {LANES_OF_ALL} SELECT {LANE}").columns(next_at=Instant)


ASKING = text(
    f"""SELECT priority, min(next_at) AS next_at FROM deliveries
    WHERE account_id = :account AND status = 'confirming' AND {FREE} GROUP BY priority"""  # noqa: S608 - made of constants only
).columns(next_at=Instant)


def waiting_lanes(connection: Connection, waits: Mapping[int, Wait] | None = None) -> list[Lane]:
    """The lanes that hold anything, highest priority first, then by what is due first; `waits` are
    the accounts that are held."""
    return arranged(connection, [Lane(*row) for row in connection.execute(LANES)], waits)


def arranged(
    connection: Connection, found: list[Lane], waits: Mapping[int, Wait] | None
) -> list[Lane]:
    """The same of lanes that are read already."""
    if waits:
        found = [
            lane.behind(wait) if (wait := waits.get(lane.account_id)) else lane for lane in found
        ]
        found += _to_ask(connection, found, waits)
    return sorted(found, key=lambda lane: (-lane.priority, lane.next_at))


def _to_ask(connection: Connection, found: Sequence[Lane], waits: Mapping[int, Wait]) -> list[Lane]:
    """For accounts that are held for their quota or their pace, lanes of what takes no room."""
    full = {
        lane.account_id: lane.platform
        for lane in found
        if lane.account_id in waits and waits[lane.account_id].why in OURS
    }
    made = []
    for account_id, platform in full.items():
        wait = waits[account_id]
        for priority, next_at in connection.execute(ASKING, {"account": account_id}):
            lane = Lane(account_id, platform, priority, next_at, asking=True)
            made.append(lane.behind(replace(wait, until=None)))
    return made


def share_out(due: Sequence[Lane], hands: Mapping[str, int], total: int) -> dict[Lane, int]:
    """How many to claim from each lane: every lane of a priority in turn, one at a time, while
    its platform and the total allow; one in all for what is tried out."""
    left, shares = dict(hands), dict.fromkeys(due, 0)
    tried: set[str] = set()
    for priority in sorted({lane.priority for lane in due}, reverse=True):
        turn = [lane for lane in due if lane.priority == priority]
        while turn and total > 0:
            turn = [
                lane for lane in turn
                if left.get(lane.platform, 0) > 0 and lane.trial not in tried
            ]  # fmt: skip
            for lane in turn[:total]:
                if left[lane.platform] > 0 and lane.trial not in tried:
                    if lane.trial is not None:
                        tried.add(lane.trial)
                    left[lane.platform] -= 1
                    total -= 1
                    shares[lane] += 1
    return {lane: share for lane, share in shares.items() if share}
