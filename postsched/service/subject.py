"""The post that is changed, as it is now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.post import Post
from postsched.domain.schedule import Schedule

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
