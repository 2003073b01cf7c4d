"""/deliveries and /history: what goes out, and what went out, to which account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from postsched.domain.errors import NotFound
from postsched.service.choice import DELIVERY_STATUSES
from postsched.store import deliveries as rows
from postsched.store import pages
from postsched.store.columns import EPOCH, MICROSECOND, micros
from postsched.transfer.documents import delivery_document
from postsched.web import paging
from postsched.web.answers import Json
from postsched.web.auth import Reader
from postsched.web.context import DeskOf
from postsched.web.looking import OfDeliveries, OfHistory
from postsched.web.paging import USUAL, Cursor, Limit
from postsched.web.problems import invalid
from postsched.web.requests import Route
from postsched.web.schemas.base import LARGEST
from postsched.web.schemas.described import LINKED, described
from postsched.web.schemas.documents import Delivery
from postsched.web.schemas.views import Deliveries

router = APIRouter(tags=["deliveries"], route_class=Route)
OfPost = Annotated[int | None, Query(ge=1, le=LARGEST, description="Only of this post")]
DeliveryId = Annotated[int, Path(ge=1, le=LARGEST, description="The id of a delivery")]


@router.get(
    "/deliveries",
    response_model=Deliveries,
    responses=LINKED | described(),
    operation_id="list_deliveries",
)
def list_deliveries(
    request: Request,
    desk: DeskOf,
    who: Reader,
    looking: OfDeliveries,
    post: OfPost = None,
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Response:
    """Deliveries, the newest first. `from` and `until` are of their occurrences."""
    place = paging.place_of(cursor, 1)
    with desk.database.read() as connection:
        wanted = looking.filter(desk, connection, DELIVERY_STATUSES)
        before = place[0] if place else None
        found = pages.every_delivery(connection, wanted, post, before, limit + 1)
    more = paging.written(found[limit - 1].id) if len(found) > limit else None
    return paging.page(request, [delivery_document(one) for one in found[:limit]], more)


@router.get(
    "/deliveries/{delivery_id}",
    response_model=Delivery,
    responses=described(404),
    operation_id="get_delivery",
)
def get_delivery(delivery_id: DeliveryId, desk: DeskOf, who: Reader) -> Response:
    """One delivery with every attempt (`tries`) and its evidence."""
    with desk.database.read() as connection:
        found = pages.deliveries_named(connection, [delivery_id])
        tries = rows.attempts_of(connection, delivery_id)
    if not found:
        raise NotFound(f"there is no delivery {delivery_id}", "See /api/v1/deliveries")
    return Json(delivery_document(found[0], tries))


@router.get(
    "/history",
    response_model=Deliveries,
    responses=LINKED | described(),
    operation_id="history",
)
def history(
    request: Request,
    desk: DeskOf,
    who: Reader,
    looking: OfHistory,
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Response:
    """Finished deliveries with their permalinks, the one that was finished last first."""
    place = paging.place_of(cursor, 2)
    try:
        before = (EPOCH + place[0] * MICROSECOND, place[1]) if place else None
    except OverflowError:
        raise invalid("cursor: that is none of ours", None, "cursor") from None
    with desk.database.read() as connection:
        wanted = looking.filter(desk, connection, DELIVERY_STATUSES)
        found = pages.history(connection, wanted, before, limit + 1)
    more = None
    if len(found) > limit:
        at, last = found[limit - 1]
        more = paging.written(micros(at), last.id)
    return paging.page(request, [delivery_document(one) for _, one in found[:limit]], more)
