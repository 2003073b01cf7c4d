"""What became of what was sent: counted by account, from when it was finished."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from postsched.domain.delivery import DeliveryStatus
from postsched.store.columns import MICROSECOND
from postsched.store.tables import accounts, deliveries


@dataclass(slots=True)
class Figures:
    """Of one account: how many deliveries came to which end, and how late those that are out were,
    from due to request."""

    account: str
    platform: str
    counts: dict[DeliveryStatus, int] = field(default_factory=dict)
    late_mean: timedelta | None = None
    late_most: timedelta | None = None

    @property
    def finished(self) -> int:
        """How many in all."""
        return sum(self.counts.values())


def since(connection: Connection, start: datetime) -> list[Figures]:
    """What was finished from that instant (UTC) on, by account, in the order of their names."""
    row, late = deliveries.c, func.avg(deliveries.c.lateness)
    query = (
        select(
            accounts.c.name,
            accounts.c.platform,
            row.status,
            func.count().label("number"),
            late.label("mean"),
            func.max(row.lateness).label("most"),
        )
        .join_from(deliveries, accounts)
        .where(row.finished_at >= start)
        .group_by(accounts.c.name, accounts.c.platform, row.status)
        .order_by(accounts.c.name)
    )
    found: dict[str, Figures] = {}
    for one in connection.execute(query):
        mine = found.setdefault(one.name, Figures(one.name, one.platform))
        status = DeliveryStatus(one.status)
        mine.counts[status] = one.number
        if status is DeliveryStatus.PUBLISHED:
            mine.late_mean, mine.late_most = _span(one.mean), _span(one.most)
    return list(found.values())


def _span(value: object) -> timedelta | None:
    """An aggregate of spans: their type is lost to some of the functions of databases."""
    if value is None or isinstance(value, timedelta):
        return value
    return float(str(value)) * MICROSECOND
