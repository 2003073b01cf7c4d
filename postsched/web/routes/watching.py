"""/monitoring, and holding everything: how it goes, for people and programs that watch."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from postsched.domain.delivery import DeliveryStatus
from postsched.service import pausing
from postsched.service.desk import Desk
from postsched.service.state import status_document
from postsched.store import figures, pauses, reading
from postsched.store.figures import Figures
from postsched.store.reading import Filter
from postsched.transfer.documents import delivery_document, rfc3339
from postsched.web.answers import Json
from postsched.web.auth import Reader, Writer
from postsched.web.context import DeskOf
from postsched.web.idempotency import Reply, Write
from postsched.web.paging import Limit
from postsched.web.requests import Route
from postsched.web.schemas.described import described
from postsched.web.schemas.documents import Delivery
from postsched.web.schemas.views import Held, Stats, Status

S = DeliveryStatus
router = APIRouter(tags=["monitoring"], route_class=Route)
LastDays = Annotated[int, Query(ge=1, le=3660, description="Of the last so many days")]


@router.get(
    "/monitoring/queue", response_model=Status, responses=described(), operation_id="queue_state"
)
def queue(desk: DeskOf, who: Reader) -> Response:
    """The state at a glance, as `postsched status` tells it: who sends, how many deliveries are in
    which status, what is next, and how each account is doing."""
    return Json(status_document(desk))


@router.get("/monitoring/stats", response_model=Stats, responses=described(), operation_id="stats")
def stats(desk: DeskOf, who: Reader, days: LastDays = 7) -> Response:
    """What became of what was finished lately, by account."""
    start = desk.now() - timedelta(days=days)
    with desk.database.read() as connection:
        found = figures.since(connection, start)
    return Json({"since": rfc3339(start), "accounts": [_figures(one) for one in found]})


@router.get(
    "/monitoring/recent",
    response_model=list[Delivery],
    responses=described(),
    operation_id="recent",
)
def recent(desk: DeskOf, who: Reader, limit: Limit = 20) -> Response:
    """What was finished last."""
    with desk.database.read() as connection:
        found = reading.history(connection, Filter(), limit)
    return Json([delivery_document(one) for one in found])


@router.post("/pause", response_model=Held, responses=described(408, 413), operation_id="pause_all")
def pause(desk: DeskOf, who: Writer, write: Write) -> Response:
    """Hold everything: nothing is sent until it is resumed."""
    return _hold(desk, write, paused=True)


@router.post(
    "/resume", response_model=Held, responses=described(408, 413), operation_id="resume_all"
)
def resume(desk: DeskOf, who: Writer, write: Write) -> Response:
    """Release everything; what is past its grace is missed."""
    return _hold(desk, write, paused=False)


def _hold(desk: Desk, write: Write, *, paused: bool) -> Response:
    missed: list[Any] = []
    return write.do(
        desk,
        lambda desk: missed.extend(pausing.pause_all(desk, paused=paused)),
        lambda connection: Reply({"paused": pauses.all_paused(connection), "missed": len(missed)}),
    )


def _figures(one: Figures) -> dict[str, Any]:
    counts = one.counts
    return {
        "account": one.account,
        "platform": one.platform,
        "finished": one.finished,
        "published": counts.get(S.PUBLISHED, 0),
        "failed": counts.get(S.FAILED, 0),
        "missed": counts.get(S.MISSED, 0),
        "unconfirmed": counts.get(S.UNCONFIRMED, 0),
        "cancelled": counts.get(S.CANCELLED, 0),
        "lateness_mean_ms": _milliseconds(one.late_mean),
        "lateness_max_ms": _milliseconds(one.late_most),
    }


def _milliseconds(span: timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds() * 1000, 3)
