"""Nothing is sent in an account's quiet hours, and no two of its posts closer than its spacing.

Planning has seen to that already; this is for what is late: after a sleep, a retry, a pause. What
was begun is finished, and what may be out is asked about, whatever the hour.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from postsched.domain import moves
from postsched.domain.account import Account
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.duration import format_duration
from postsched.domain.holding import Why
from postsched.domain.timing import Pace
from postsched.planning.timing import Timing
from postsched.store import holds, queue, spacing
from postsched.store.queue import Work

log = logging.getLogger("postsched.engine")


def let_in(
    connection: Connection, timing: Timing, works: Sequence[Work], token: str, now: datetime
) -> list[Work]:
    """Of what was just claimed with the token, what may go out now. All else goes back, and its
    account is held until it may."""
    kept: set[int] = set()
    gates: dict[int, _Gate | None] = {}
    for work in sorted(works, key=lambda one: -one.post.priority):
        account = work.account
        if account.id not in gates:
            gates[account.id] = _gate(connection, timing.pace(account), account, token, now)
        gate = gates[account.id]
        if gate is None or gate.lets_in(work.delivery, now):
            kept.add(work.delivery.id)
        else:
            queue.settle(connection, moves.let_go(work.delivery), token, now)
    named = {work.account.id: work.account.name for work in works}
    for account_id, gate in gates.items():
        if gate is not None and gate.until is not None:
            assert gate.why is not None
            holds.hold_for(connection, account_id, gate.until, gate.why, gate.said)
            log.info("%s: %s; more go out from %s", named[account_id], gate.said,
                     f"{gate.until:%Y-%m-%d %H:%M:%S}Z")  # fmt: skip
    return [work for work in works if work.delivery.id in kept]


def _gate(
    connection: Connection, pace: Pace, account: Account, token: str, now: datetime
) -> _Gate | None:
    if pace.quiet is None and not pace.spacing:
        return None
    last = None
    if pace.spacing:
        back = pace.spacing + spacing.SLACK
        last = spacing.latest(connection, account.id, now, back, token)
    return _Gate(pace, last)


@dataclass(slots=True)
class _Gate:
    """Lets in what an account may post, until the first that it may not; `until` and `why` say
    what shut it."""

    pace: Pace
    last: datetime | None
    until: datetime | None = None
    why: Why | None = None

    @property
    def said(self) -> str:
        """Why it is shut, for people."""
        if self.why is Why.QUIET and self.pace.quiet:
            return f"quiet hours ({self.pace.quiet.text})"
        return f"posts are {format_duration(self.pace.spacing)} apart at least (min_spacing)"

    def lets_in(self, delivery: Delivery, now: datetime) -> bool:
        """Whether it may go out now."""
        if delivery.status is not DeliveryStatus.PUBLISHING or delivery.out:
            return True
        if self.until is not None:
            return False
        at = max(delivery.due_at, now)
        if quiet := self.pace.quiet_until(at):
            self.until, self.why = quiet, Why.QUIET
        elif self.last is not None and at < self.last + self.pace.spacing:
            self.until, self.why = self.last + self.pace.spacing, Why.SPACING
        else:
            self.last = at
        return self.until is None
