"""The calendar: a month or a week, series expanded; what is to come can be moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.responses import Response
from starlette.routing import Route

from postsched.domain.account import Account
from postsched.domain.clock_changes import Change, clock_changes
from postsched.domain.delivery import DeliveryStatus
from postsched.domain.duration import format_duration
from postsched.domain.errors import InvalidInput
from postsched.domain.firing import Firing
from postsched.domain.scope import Scope
from postsched.domain.spans import Span, month_span, week_span
from postsched.service import moving
from postsched.service.firings import Day, Outlook, day_windows
from postsched.store import accounts as account_rows
from postsched.store.firing_rows import Among, FiringRows
from postsched.web.page.visit import Visit, view

S = DeliveryStatus
WEEK = timedelta(days=7)
IN_MONTH, IN_WEEK = 12, 90
"""Firings of a day that are read."""
SHOWN_IN_MONTH, SHOWN_IN_WEEK = 5, 60
"""Entries of a day that are shown; each may go to several accounts."""
MOVABLE = (S.SCHEDULED, S.RETRYING)
WHEN_LONG = 40


@dataclass(frozen=True, slots=True)
class Entry:
    """What goes out of a post at one instant, to one account or several."""

    firings: Sequence[Firing]

    @property
    def first(self) -> Firing:
        """One of them; all but the accounts is the same."""
        return self.firings[0]

    @property
    def names(self) -> str:
        """The accounts that it goes to."""
        return ", ".join(one.account for one in self.firings)

    @property
    def movable(self) -> bool:
        """Whether it can be given another time."""
        return all(one.status in MOVABLE for one in self.firings)


@dataclass(frozen=True, slots=True)
class Cell:
    """One day: what goes out on it, how much more there is, and how the clocks change."""

    date: date
    inside: bool
    entries: Sequence[Entry]
    more: int
    changes: Sequence[str]

    @property
    def names(self) -> tuple[str, str]:
        """Those of its day of the week and of its month."""
        return f"{self.date:%A}", f"{self.date:%B}"


@view()
def calendar(visit: Visit) -> Response:
    """A month, or a week."""
    today = visit.desk.now().astimezone(visit.desk.zone).date()
    week = "week" in visit.request.query_params
    words = visit.asked("week" if week else "month")
    span = week_span(words, today) if week else month_span(words, today)
    with visit.desk.database.read() as connection:
        accounts = account_rows.every(connection)
    only = next((one for one in accounts if one.name == visit.asked("account")), None)
    cells = _cells(visit, span, only, week=week)
    last = span.first + timedelta(days=span.count)
    seen = max(span.first, min(today, last - timedelta(days=1)))
    return visit.page(
        "calendar.html", span=span, week=week, today=today,
        weeks=[cells[start : start + 7] for start in range(0, len(cells), 7)],
        accounts=accounts, only=only, plain=_address(week, span.first),
        now_address=_address(week, today, only), here=_address(week, span.first, only),
        before=_address(week, span.first - timedelta(days=1), only),
        after=_address(week, last, only), other=_address(not week, seen, only),
    )  # fmt: skip


@view(Scope.WRITE)
def move(visit: Visit) -> Response:
    """Give one entry another time, or another day at the same time."""
    post_id, occurrence = visit.number("post"), _instant(visit.text("occurrence"))
    day = visit.text("day")
    if day:
        notes = moving.to_day(visit.desk, post_id, occurrence, _day(day))
    else:
        notes = moving.to_time(visit.desk, post_id, occurrence, visit.text("at"))
    to = f"to {day}" if day else f"to {visit.text('at').replace('T', ' ')[:WHEN_LONG]}"
    return visit.back(" ".join((f"Post {post_id} is moved {to}.", *notes)))


def _cells(visit: Visit, span: Span, only: Account | None, *, week: bool) -> list[Cell]:
    desk, most = visit.desk, IN_WEEK if week else IN_MONTH
    shown = SHOWN_IN_WEEK if week else SHOWN_IN_MONTH
    start = span.first - timedelta(days=span.first.weekday())
    end = span.first + timedelta(days=span.count)
    count = (end - start).days + (-(end - start).days) % 7
    with desk.database.read() as connection:
        rows = FiringRows(connection, Among([only.id] if only else ()))
        outlook = Outlook(rows, desk.now(), lambda: desk.planner.timing)
        days = outlook.days(start, count, desk.zone, most)
    changes = _changes(desk.zone, start, count)
    return [_cell(day, shown, span.first <= day.date < end, changes) for day in days]


def _cell(day: Day, shown: int, inside: bool, changes: Iterable[Change]) -> Cell:
    entries = [Entry(tuple(group)) for _, group in groupby(day.firings, _together)]
    if len(entries) == shown + 1:  # the line that says so would take as much room
        shown += 1
    said = [_said(one) for one in changes if one.before.date() == day.date]
    unread = day.count - len(day.firings)
    return Cell(day.date, inside, entries[:shown], len(entries[shown:]) + unread, said)


def _together(firing: Firing) -> tuple[datetime, int, str]:
    return firing.due_at, firing.post_id, firing.status


def _changes(zone: ZoneInfo, start: date, count: int) -> list[Change]:
    windows = day_windows(start, count, zone)
    return list(clock_changes(zone, windows[0].start, windows[-1].end))


def _said(change: Change) -> str:
    way = "forward" if change.by > timedelta(0) else "back"
    return f"Clocks go {way} {format_duration(abs(change.by))} at {change.before:%H:%M}"


def _address(week: bool, day: date, only: Account | None = None) -> str:
    where = f"/calendar?week={day}" if week else f"/calendar?month={day:%Y-%m}"
    return f"{where}&{urlencode({'account': only.name})}" if only else where


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InvalidInput(f"{text[:WHEN_LONG]!r} is no instant", "Load the page anew")
    return found


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text[:WHEN_LONG]!r} is no day", "Load the page anew") from None


ROUTES = [Route("/calendar", calendar), Route("/do/move", move, methods=["POST"])]
