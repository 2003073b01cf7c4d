"""Deliveries in every status, for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from postsched.domain.delivery import Claim, Delivery, DeliveryStatus, Role, Step
from postsched.domain.outcome import ErrorKind, Problem, Published

S = DeliveryStatus
NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
PROBLEM = Problem(ErrorKind.TRANSIENT, "it rains")
HELD = {S.PUBLISHING}
"""The statuses in which a worker always holds the delivery."""


def at(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def claim(token: str = "t1", seconds: float = 0) -> Claim:
    """A claim for two minutes, made so many seconds after noon."""
    return Claim(token, 1, at(seconds), at(seconds + 120))


def steps(
    count: int, out: int = 0, *, prepared: bool = True, comment: bool = False
) -> tuple[Step, ...]:
    """Parts, the first `out` of them published."""
    made = [
        Step(
            Role.PART, n, {"text": f"part {n}"} if prepared else None,
            Published(f"id{n}", f"http://x/{n}") if n <= out else None,
        )
        for n in range(1, count + 1)
    ]  # fmt: skip
    if comment:
        made.append(Step(Role.COMMENT, 1, {"text": "comment"} if prepared else None))
    return tuple(made)


def delivery(status: DeliveryStatus = S.SCHEDULED, **more: Any) -> Delivery:
    """A delivery of noon in that status, with what belongs to it."""
    values: dict[str, Any] = {"next_at": NOON, "steps": steps(1)}
    if status in HELD:
        values |= {"claim": claim(), "came_from": S.SCHEDULED, "attempts": 1}
    if status is S.CONFIRMING:
        values |= {"sent_at": NOON, "attempts": 1}
    if status is S.UNCONFIRMED:
        values |= {"sent_at": NOON, "attempts": 1, "next_at": None}
    if status in (S.PUBLISHED, S.FAILED, S.MISSED, S.CANCELLED):
        values |= {"next_at": None}
    if status is S.PUBLISHED:
        values |= {"steps": steps(1, out=1), "published_at": NOON}
    values = {"due_at": NOON, **values, **more}
    return Delivery(
        id=1, post_id=1, account_id=1, account="me", platform="fake", occurrence=NOON,
        status=status, **values,
    )  # fmt: skip
