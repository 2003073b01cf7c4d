"""Stretches of time as SQL asks for them: one at a time, or many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CTE, ColumnElement, Integer, and_, column, values

from postsched.store.columns import Instant
from postsched.store.tables import deliveries


@dataclass(frozen=True, slots=True)
class Window:
    """Instants from `start` up to but without `end` (UTC)."""

    start: datetime
    end: datetime

    @property
    def condition(self) -> ColumnElement[bool]:
        """The same in SQL."""
        due = deliveries.c.due_at
        return and_(due >= self.start, due < self.end)


def spans_of(windows: Sequence[Window]) -> CTE:
    """The windows as a table, by their number."""
    made = values(column("n", Integer), column("start", Instant), column("end", Instant))
    rows = [(number, one.start, one.end) for number, one in enumerate(windows)]
    return made.data(rows).cte("spans")


def within(spans: CTE) -> ColumnElement[bool]:
    """Whether a delivery is due in the window that is joined."""
    due = deliveries.c.due_at
    return and_(due >= spans.c.start, due < spans.c.end)
