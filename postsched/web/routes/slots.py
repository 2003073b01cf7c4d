"""/slots: the weekly slots."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from postsched.domain.weekdays import clock, weekdays
from postsched.domain.zones import zone_named
from postsched.service import slots as service
from postsched.service.desk import Desk
from postsched.web.answers import Json
from postsched.web.auth import Reader, Writer
from postsched.web.context import DeskOf
from postsched.web.idempotency import Reply, Write
from postsched.web.looking import named_in
from postsched.web.requests import Route
from postsched.web.schemas.actions import NewSlots
from postsched.web.schemas.base import Name
from postsched.web.schemas.described import described
from postsched.web.schemas.views import Slot

router = APIRouter(prefix="/slots", tags=["slots"], route_class=Route)
Of = Annotated[Name | None, Query(description="Of this account or group")]
OfName = Annotated[Name, Query(description="Of this account or group")]
Days = Annotated[str | None, Query(max_length=200, description="Only on these: mon-fri")]
Times = Annotated[list[str] | None, Query(max_length=100, description="Only at these: 09:00")]


@router.get("", response_model=list[Slot], responses=described(), operation_id="list_slots")
def list_slots(desk: DeskOf, who: Reader, name: Of = None) -> Response:
    """The slots, and when each comes next."""
    with desk.database.read() as connection, named_in("name"):
        return Json(_slots(connection, desk, name).document)


@router.post(
    "", response_model=list[Slot], responses=described(408, 413, 415), operation_id="add_slots"
)
def add_slots(given: NewSlots, desk: DeskOf, who: Writer, write: Write) -> Response:
    """Add a slot on each of the days at each of the times: all that the name has then."""
    zone = zone_named(given.tz) if given.tz is not None else desk.zone
    days, times = weekdays(given.days), [clock(one) for one in given.times]
    with named_in("name"):
        return write.do(
            desk,
            lambda desk: service.add(desk, given.name, days, times, zone.key),
            lambda connection: _slots(connection, desk, given.name),
        )


@router.delete(
    "", response_model=list[Slot], responses=described(408, 413), operation_id="remove_slots"
)
def remove_slots(
    desk: DeskOf,
    who: Writer,
    write: Write,
    name: OfName,
    days: Days = None,
    time: Times = None,
) -> Response:
    """Remove slots: what the name has left. The posts in them keep their time."""
    on = weekdays(days) if days is not None else ()
    at = [clock(one) for one in time or ()]
    with named_in("name"):
        return write.do(
            desk,
            lambda desk: service.remove(desk, name, on, at),
            lambda connection: _slots(connection, desk, name),
        )


def _slots(connection: Connection, desk: Desk, name: str | None) -> Reply:
    return Reply(service.slot_documents(service.of(connection, name), desk.now()))
