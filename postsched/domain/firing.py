"""A firing: one occurrence of a post to one account, as a person looks at it in a calendar.

It may have a row in the queue, or only be named by a series that goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.zones import ClockChange


@dataclass(frozen=True, slots=True)
class Firing:
    """Instants are UTC. `delivery_id` is None where there is no row yet, `number` is that of the
    occurrence in its series, None where there is none or it would have to be counted.

    `text` is what this one says. `paused`: held, by itself, with its account or with everything.
    `moved`: a person gave it another time than its series names; `reworded`: a text of its own.
    `change` is what a clock change made of the local time that was meant.
    """

    due_at: datetime
    occurrence: datetime
    post_id: int
    post_uid: str
    account_id: int
    account: str
    account_uid: str
    platform: str
    text: str
    status: DeliveryStatus = DeliveryStatus.SCHEDULED
    delivery_id: int | None = None
    number: int | None = None
    paused: bool = False
    moved: bool = False
    reworded: bool = False
    change: ClockChange | None = None
    published_at: datetime | None = None
    url: str | None = None

    @property
    def order(self) -> tuple[datetime, int, int]:
        """What firings are sorted by."""
        return self.due_at, self.post_id, self.account_id
