"""How a series recurs, and what is left of it, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postsched.domain.delivery import DeliveryStatus

if TYPE_CHECKING:
    from datetime import datetime

    from postsched.store.reading import Filed

WAITING = (DeliveryStatus.SCHEDULED, DeliveryStatus.RETRYING)


def pattern(filed: Filed, now: datetime) -> str:
    """The schedule of a series; nothing is left of one that was cancelled, but what waits."""
    from postsched.domain.recurrence import describe

    return describe(filed.schedule, now, None if _goes_on(filed, now) else _waiting(filed))


def _goes_on(filed: Filed, now: datetime) -> bool:
    """Whether what its schedule names from now on is to come; of a draft, it would be."""
    from postsched.domain.recurrence import next_occurrence

    if not any(delivery.leads for delivery in filed.deliveries):
        return filed.post.draft
    return next_occurrence(filed.schedule, now) is not None


def _waiting(filed: Filed) -> int:
    """How many occurrences wait."""
    return len({one.occurrence for one in filed.deliveries if one.status in WAITING})
