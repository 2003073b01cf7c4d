"""The post that is changed, as it is now; what it does not want any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from postsched.domain import moves
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.post import Post
from postsched.domain.schedule import Schedule
from postsched.store import outbox, plans

if TYPE_CHECKING:
    from sqlalchemy import Connection

S = DeliveryStatus
CHANGEABLE = frozenset({S.SCHEDULED, S.RETRYING, S.FAILED, S.MISSED})


@dataclass(frozen=True, slots=True)
class Subject:
    """The post that is changed, as it is now."""

    post: Post
    schedule: Schedule
    deliveries: Sequence[Delivery]

    @property
    def changeable(self) -> list[Delivery]:
        """The deliveries of which surely nothing is out."""
        return [d for d in self.deliveries if d.status in CHANGEABLE and not d.out]


def drop(connection: Connection, delivery: Delivery, now: datetime) -> None:
    """Cancel a delivery that was tried, and tell so."""
    after = moves.cancel(delivery)
    if plans.rewrite(connection, after, delivery, now):
        outbox.note(connection, now, after)
