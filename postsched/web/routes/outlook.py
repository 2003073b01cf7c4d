"""/calendar, /next and /preview: what is to come, and what a post would look like."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from postsched.domain.spans import Span, month_span, week_span
from postsched.service import almanac, posts, previewing, unwritten
from postsched.service.desk import Desk
from postsched.service.firings import Outlook
from postsched.service.preview_document import document
from postsched.store.firing_rows import Among, FiringRows
from postsched.transfer import ics
from postsched.transfer.firings import firing_document
from postsched.web.answers import Json
from postsched.web.auth import Reader
from postsched.web.context import DeskOf
from postsched.web.drafting import draft_from
from postsched.web.looking import Accounts, Tag, among, named_in
from postsched.web.problems import invalid
from postsched.web.requests import Route
from postsched.web.schemas.described import Described, described
from postsched.web.schemas.documents import Checked
from postsched.web.schemas.posts import PostChanges, PostIn
from postsched.web.schemas.views import Calendar, Firing, Preview
from postsched.web.wording import over_http

router = APIRouter(tags=["outlook"], route_class=Route)
Month = Annotated[
    str | None, Query(max_length=40, description="2026-12, dec, december 2026, next, last")
]
Week = Annotated[str | None, Query(max_length=40, description="2026-12-24 or next: its week")]
Days = Annotated[int, Query(ge=1, le=3660, description="All in so many days")]
ICS: Described = {
    200: {"description": "The file", "content": {"text/calendar": {"schema": {"type": "string"}}}}
}
Count = Annotated[int, Query(ge=1, le=1_000, description="How many, at the most")]


@router.get("/calendar", response_model=Calendar, responses=described(), operation_id="calendar")
def calendar(
    desk: DeskOf,
    who: Reader,
    month: Month = None,
    week: Week = None,
    account: Accounts = None,
    tag: Tag = None,
) -> Response:
    """A month, or a week, by local day: this one unless another is named."""
    span = _span(desk, month, week)
    with desk.database.read() as connection:
        outlook = _outlook(connection, desk, among(connection, account, tag))
        found = almanac.whole(outlook, desk.zone, span)
    return Json(almanac.calendar_document(found, desk.zone, span))


@router.get(
    "/calendar.ics",
    response_class=Response,
    responses=ICS | described(),
    operation_id="icalendar",
)
def icalendar(
    desk: DeskOf,
    who: Reader,
    month: Month = None,
    week: Week = None,
    account: Accounts = None,
    tag: Tag = None,
) -> Response:
    """What is to come in a year, or all of a month or a week, as an iCalendar file (RFC 5545), for
    programs that keep calendars."""
    span = _span(desk, month, week) if month is not None or week is not None else None
    with desk.database.read() as connection:
        outlook = _outlook(connection, desk, among(connection, account, tag))
        found = almanac.whole(outlook, desk.zone, span)
    return Response(b"".join(ics.calendar(found, desk.now())), media_type="text/calendar")


@router.get("/next", response_model=list[Firing], responses=described(), operation_id="coming")
def coming(
    desk: DeskOf,
    who: Reader,
    limit: Count = 10,
    days: Days = 3660,
    account: Accounts = None,
    tag: Tag = None,
) -> Response:
    """Every firing to come, series expanded, what is overdue first."""
    until = desk.now() + timedelta(days=days)
    with desk.database.read() as connection:
        outlook = _outlook(connection, desk, among(connection, account, tag))
        return Json([firing_document(one) for one in outlook.coming(until, limit)])


@router.post(
    "/preview",
    response_model=Preview,
    responses=described(408, 413, 415),
    operation_id="preview",
)
def preview(given: PostChanges, desk: DeskOf, who: Reader) -> Response:
    """What each account would get of a post; nothing is written, and no time is needed."""
    with named_in("to"):
        return Json(document(previewing.preview(desk, draft_from(desk, given, whole=False))))


@router.post(
    "/check",
    response_model=Checked,
    responses=described(408, 413, 415),
    operation_id="check_post",
)
def check(given: PostIn, desk: DeskOf, who: Reader) -> Response:
    """What would come of writing a post: the post as it would be, with its deliveries, and what to
    know of it. What could not be taken is refused as it would be. Nothing is written."""
    with named_in("to"):
        tried = posts.add(desk, draft_from(desk, given), dry_run=True)
    made = tried.composed
    return Json(
        {
            "post": unwritten.document(desk, made) if made else None,
            "known": tried.id,
            "notes": [over_http(one) for one in unwritten.notes(desk, made)] if made else [],
        }
    )


def _span(desk: Desk, month: str | None, week: str | None) -> Span:
    """The days of a month or a week. Raises Problem, InvalidInput."""
    if month is not None and week is not None:
        raise invalid("week: there is a month, too", "Give one of them", "week")
    today = desk.now().astimezone(desk.zone).date()
    return month_span(month or "", today) if week is None else week_span(week, today)


def _outlook(connection: Connection, desk: Desk, chosen: Among) -> Outlook:
    rows = FiringRows(connection, chosen)
    return Outlook(rows, desk.now(), lambda: desk.planner.timing)
