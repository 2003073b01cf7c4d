"""Posts in lines: one for each account that a post goes to, one for a whole series."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from postsched.cli.looks.agenda import Reader, clock_text, day_heading
from postsched.cli.render import result_cell, short_time, shown_instant, status_cell, waits_for
from postsched.cli.screen import Cell, Column, Group
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.occasion import said_by
from postsched.service.patterns import pattern
from postsched.store.holds import Wait
from postsched.store.reading import UPCOMING, Filed

COLUMNS = (
    Column("ID", right=True),
    Column("WHEN"),
    Column("ACCOUNT"),
    Column("STATUS"),
    Column("TEXT", flexible="cut", most=60),
    Column("LINK OR REASON", flexible="fold"),
)
S = DeliveryStatus
STANDS_OUT = frozenset({S.RETRYING, S.PUBLISHING, S.CONFIRMING, S.UNCONFIRMED, S.FAILED, S.MISSED})
"""What is said of a series beside its next time."""
MOST = 5
"""Deliveries of a series that are shown."""
NOTHING: Cell = ("", "")
DEEPER = " " * 6
"""Below the time of a post."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Draws posts. `held` are the accounts that have to wait."""

    reader: Reader
    held: Mapping[int, Wait]

    def table(self, found: Sequence[Filed]) -> str:
        """All of them, in their order."""
        if not found:
            return 'There are no posts here. Write one: postsched add "Hello" --at "tomorrow 9am"'
        return self.reader.screen.table(COLUMNS, [row for one in found for row in self._rows(one)])

    def by_day(self, found: Sequence[Filed]) -> str:
        """The same by day, drafts first: on a terminal. Elsewhere each line says all."""
        if not found or self.reader.screen.width is None:
            return self.table(found)
        return self.reader.screen.grouped(COLUMNS, self._groups(found))

    def _groups(self, found: Sequence[Filed]) -> Iterator[Group]:
        drafts = [filed for filed in found if filed.post.draft]
        if drafts:
            yield ("Drafts", "bold"), ()
        yield from self._posts(drafts, None)
        planned = (filed for filed in found if not filed.post.draft)
        for day, group in groupby(planned, key=self._day):
            yield (day_heading(day, self.reader.today), "bold"), ()
            yield from self._posts(group, day)

    def _posts(self, found: Iterable[Filed], day: date | None) -> Iterator[Group]:
        """The posts below a heading; how a series recurs is a line of its own."""
        for filed in found:
            if filed.schedule.recurs:
                yield None, [self._series(filed, day, NOTHING)]
                yield (DEEPER + pattern(filed, self.reader.now), "dim"), self._apart(filed, day)
            else:
                yield None, self._rows(filed, day)

    def _day(self, filed: Filed) -> date:
        """The day that a post is listed under: that of its first line."""
        return self._local(shown_instant(_first(filed)) if filed.deliveries else filed.instant)

    def _local(self, instant: datetime) -> date:
        return instant.astimezone(self.reader.zone).date()

    def _rows(self, filed: Filed, day: date | None = None) -> Iterator[tuple[Cell, ...]]:
        """The lines of a post that is listed under that day."""
        if filed.schedule.recurs:
            yield self._series(filed, day, (pattern(filed, self.reader.now), "dim"))
            yield from self._apart(filed, day)
        elif not filed.deliveries:
            yield self._head(filed, filed.schedule.first(), day, NOTHING)
        else:
            for index, delivery in enumerate(filed.deliveries):
                yield self._delivery(filed, delivery, day, first=index == 0)

    def _delivery(
        self, filed: Filed, delivery: Delivery, day: date | None, *, first: bool
    ) -> tuple[Cell, ...]:
        return (
            (str(filed.post.id) if first else "", ""),
            (self._when(shown_instant(delivery), day), ""),
            (delivery.account, ""),
            status_cell(delivery.status.value, filed.post.paused),
            (_text(filed) if first else "", ""),
            result_cell(delivery, waits_for(delivery, self.held)),
        )

    def _series(self, filed: Filed, day: date | None, last: Cell) -> tuple[Cell, ...]:
        """The one line of a series, with its next time."""
        at = shown_instant(_first(filed)) if filed.deliveries else filed.schedule.first()
        return self._head(filed, at, day, last)

    def _apart(self, filed: Filed, day: date | None) -> Iterator[tuple[Cell, ...]]:
        """What stands out of a series, accounts of which the same is to be said together."""
        lines: dict[tuple[Cell, ...], list[str]] = {}
        for one in filed.deliveries:
            if self._stands_out(one):
                lines.setdefault(self._line(filed, one, day), []).append(one.account)
        for (when, status, last), accounts in list(lines.items())[-MOST:]:
            yield NOTHING, when, (", ".join(accounts), ""), status, NOTHING, last
        if len(lines) > MOST:
            more = f"{len(lines) - MOST:,} more: postsched show {filed.post.id}"
            yield NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, (more, "dim")

    def _line(self, filed: Filed, one: Delivery, day: date | None) -> tuple[Cell, Cell, Cell]:
        """Time, status and reason of what stands out."""
        when = (self._when(shown_instant(one), day), "")
        if one.status is S.CANCELLED:
            return when, ("skipped", "dim"), NOTHING
        notes = ["own text"] if one.wording else []
        timed = filed.post.spread or filed.post.jitter
        if one.status is S.SCHEDULED and one.due_at != one.occurrence and not timed:
            notes.append("moved")
        last = (", ".join(notes), "dim") if notes else result_cell(one, waits_for(one, self.held))
        return when, status_cell(one.status.value, filed.post.paused), last

    def _stands_out(self, delivery: Delivery) -> bool:
        if delivery.status in STANDS_OUT:
            return True
        ahead = delivery.occurrence > self.reader.now and not delivery.leads
        return ahead and delivery.status in (S.SCHEDULED, S.CANCELLED)

    def _head(
        self, filed: Filed, at: datetime | None, day: date | None, last: Cell
    ) -> tuple[Cell, ...]:
        """The one line of a post."""
        post = filed.post
        return (
            (str(post.id), ""),
            (self._when(at, day), ""),
            (", ".join(post.accounts), ""),
            status_cell(filed.status.value, post.paused),
            (_text(filed), ""),
            last,
        )

    def _when(self, instant: datetime | None, day: date | None) -> str:
        """The time alone below the heading of its day."""
        if instant is not None and day == self._local(instant):
            return clock_text(instant.astimezone(self.reader.zone))
        return short_time(instant, self.reader.now, self.reader.zone)


def _text(filed: Filed) -> str:
    """What the first of its deliveries says; of what has none, as it was written."""
    content = filed.post.content
    if filed.deliveries:
        content = said_by(_first(filed), filed.post, filed.schedule.tz).content
    return content.text or next(iter(content.texts), "")


def _first(filed: Filed) -> Delivery:
    """The delivery that a post's first line is about: of a series the next to come, or its last."""
    if not filed.schedule.recurs:
        return filed.deliveries[0]
    coming = [one for one in filed.deliveries if one.status in UPCOMING]
    return min(coming, key=shown_instant) if coming else filed.deliveries[-1]
